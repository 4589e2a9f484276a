"""After an erasure the address is nowhere, stays off the list, and its consent can be proved."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import timedelta

import pytest

from functions import case_worker, form_intake, mail_intake
from shared.domain import cases as rules
from shared.domain.cases import Case, CaseState, Task
from shared.domain.eligibility import Profile, judge
from shared.domain.events import Event, EventKind, Source
from shared.domain.links import verify_case
from tests.integration.fakes import Died, Faults, Mode, read
from tests.integration.world import (
    INBOUND,
    WEB,
    Answer,
    LambdaContext,
    World,
    fact,
    held,
    id_of,
    letter,
    payload,
    projected,
)

HANAKO, TARO = "Hanako.Yamada@example.jp", "taro@example.jp"
ERASE = "個人情報を削除してください。山田花子"
REPLY = ("reply@mail.example.jp",)
IP = "203.0.113.77"


def reason(world: World) -> str:
    return judge(world.contacts.get(id_of(HANAKO)), Profile.MANUAL).reason


def post(world: World, fields: dict[str, str], form_id: str = "sakura-city") -> None:
    event = world.post({"email": HANAKO, **fields}, form_id=form_id, ip=IP)
    answer = Answer.of(form_intake.handler(event, LambdaContext(), world.form_intake()))
    assert answer.status < 300, answer.text


@pytest.fixture
def lived(world: World) -> World:
    """Hanako has a history everywhere: forms, calls, mails, cases. Taro has one too."""
    post(world, {"opt_in": "on", "name": "山田花子", "message": "空き家は山田の実家です"})
    post(world, {"name": "山田花子"}, WEB)
    world.confirmed(HANAKO)
    world.happened(HANAKO, EventKind.BOUNCED, source=Source.SES)
    lifted = {"reason": "山田様よりお電話"}
    answer = world.ask_staff("POST", f"/contacts/{id_of(HANAKO)}/lift-bounce", lifted)
    assert answer.status == 200, answer.text
    sender = f"山田花子 <{HANAKO}>"
    world.mail_in(letter("会場はどこですか。山田", sender=sender), recipients=REPLY)
    world.mail_in(letter("山田です。", sender=sender, subject="出会い"), spam="FAIL")
    quoting = f"{HANAKO} 様\nhttps://optin.example.jp/u/{world.token(id_of(HANAKO))}"
    world.mail_in(letter("停止できますか?", sender=TARO, quoting=quoting), dmarc="FAIL")
    world.work()
    world.clock.advance(days=1)
    return world


def asked(world: World) -> Case:
    """She asks for erasure and confirms; IT approves."""
    line = world.mail_in(letter(ERASE, sender=f"山田花子 <{HANAKO}>"))
    world.work()
    part = read(world.ses.to(HANAKO)[-1]).get_body(("plain",))
    found = re.search(r"/v/([\w-]+)", str(part and part.get_content()))
    assert found
    link = verify_case(found[1], world.keys)
    case = world.cases.get(line.case_id)
    now = world.clock.advance(minutes=5)
    confirmed = rules.confirmed(case, link, now=now, erasure_runs_by_itself=False)
    case = world.cases.save(case, confirmed)
    assert (case.state, case.task) == (CaseState.VERIFIED, Task.NONE)
    now = world.clock.advance(hours=2)
    return world.cases.save(case, rules.approved(case, by="it-a", now=now))


def erase(world: World) -> Case:
    case = asked(world)
    world.clock.advance(minutes=1)
    run(world, case.case_id)
    return world.cases.get(case.case_id)


def run(world: World, case_id: str, faults: Faults | None = None) -> None:
    event = payload("campaign_sender")
    event["Records"][0]["body"] = f'{{"case_id": "{case_id}"}}'
    deps = world.case_worker(faults.wrap) if faults else world.case_worker()
    answer = case_worker.handler(event, LambdaContext(), deps)
    assert faults or answer == {"batchItemFailures": []}


def everything(world: World) -> str:
    """All tables, the bucket, and what waits in queues."""
    raw = [body.decode("utf-8", "replace") for body in world.objects().values()]
    jobs = [message.body for message in (*world.case_queue.messages, *world.queue.messages)]
    return "\n".join([repr(world.tables()), *raw, *jobs]).lower()


def assert_gone(world: World) -> None:
    told = everything(world)
    for secret in ("hanako.yamada", "hanako", "yamada", "山田", IP):
        assert secret not in told, secret


def test_the_address_is_nowhere(lived: World) -> None:
    assert "hanako.yamada" in everything(lived)
    case = erase(lived)
    assert case.state is CaseState.DONE
    assert_gone(lived)
    assert reason(lived) in {"no_address", "erased"}
    assert projected(lived.tables()) == held(lived.tables())
    assert all(not each.is_open for each in lived.cases.of_contact(id_of(HANAKO)))
    for path, body in (
        ("/contacts/lookup", {"email": HANAKO}),
        ("/registrations", None),
    ):
        answer = lived.ask_staff("POST" if body else "GET", path, body)
        assert "hanako" not in answer.text.lower().replace(HANAKO.lower(), "")


def test_the_certificate_says_what_was_done(lived: World) -> None:
    history = lived.contacts.history(id_of(HANAKO))
    case = erase(lived)
    step = next(step for step in case.steps if step.kind.value == "erased")
    assert step.details["events"] == str(sum(bool(event.personal) for event in history))
    assert (step.details["mails"], step.details["cases"]) == ("4", "2")
    part = read(lived.ses.to(HANAKO)[-1]).get_body(("plain",))
    assert part is not None
    said = part.get_content()
    assert case.case_id in said
    assert "HANAKO" not in said.upper().replace("H***", "")


def test_somebody_else_loses_nothing_of_theirs(lived: World) -> None:
    [before] = lived.cases.of_contact(id_of(TARO))
    erase(lived)
    [after] = lived.cases.of_contact(id_of(TARO))
    assert after == before
    assert lived.cases.mails(before.case_id)[0].words


def test_nothing_brings_it_back_to_the_list(lived: World) -> None:
    case = erase(lived)
    lived.clock.advance(days=1)
    post(lived, {"name": "花子"}, WEB)  # a notice
    assert reason(lived) == "erased"
    lived.happened(HANAKO, EventKind.IMPORTED_NOTICE, source=Source.IMPORT)
    lived.happened(HANAKO, EventKind.IMPORTED_CONSENT, source=Source.IMPORT)
    assert reason(lived) == "erased"
    # A restored backup replays what was before.
    old = lived.clock.now() - timedelta(days=30)
    lived.contacts.record(fact(id_of(HANAKO), EventKind.PHONE_ACCEPTED, old, email=HANAKO))
    assert reason(lived) == "erased"
    # Coming back by an explicit yes is the person's own right, and no old hold stands.
    lived.confirmed(HANAKO)
    assert reason(lived) == "held"  # but the one of him who quoted her link, which is open
    [taro] = lived.cases.queue(team=None, limit=9).cases
    now = lived.clock.now()
    lived.cases.save(taro, rules.finished(taro, by="cs-a", note_code="goes_on", now=now))
    run(lived, taro.case_id)
    assert reason(lived) == "eligible"
    # Erasing again what was erased takes nothing from the new beginning.
    lived.cases.save(case, replace(case, task=Task.ERASE, state=CaseState.IN_PROGRESS))
    run(lived, case.case_id)
    assert reason(lived) == "eligible"
    assert lived.contacts.get(id_of(HANAKO)).address == HANAKO


def test_its_consent_can_still_be_proved_from_the_address(lived: World) -> None:
    kinds = [str(event.kind) for event in lived.contacts.history(id_of(HANAKO))]
    erase(lived)
    answer = lived.ask_staff("POST", "/contacts/proof", {"email": HANAKO, "format": "json"})
    assert answer.status == 200, answer.text
    found = answer.text
    assert all(kind in found for kind in kinds)
    assert "hanako.yamada" not in found.lower()
    [opted_in] = [
        event
        for event in lived.contacts.history(id_of(HANAKO))
        if event.kind is EventKind.OPTED_IN and event.wording and "page_url" in event.details
    ]
    assert opted_in.wording is not None
    assert opted_in.wording.sha256 in found


def test_a_mail_that_comes_again_is_not_kept(lived: World) -> None:
    """SES delivers the notification once more, or the sender's server the mail."""
    raw = letter(ERASE, sender=f"山田花子 <{HANAKO}>")
    event = lived.mail_event(raw, key="first")
    mail_intake.handler(event, LambdaContext(), lived.mail_intake())
    erase(lived)
    assert lived.mail_in(raw, key="second").erased
    assert mail_intake.handler(event, LambdaContext(), lived.mail_intake()) == {
        "batchItemFailures": []
    }
    assert_gone(lived)


def test_a_form_post_that_is_recorded_late_leaves_nothing_personal(lived: World) -> None:
    """The gateway dated it before the erasure; its evidence stays, like that of the others."""
    event = lived.post({"email": HANAKO, "name": "山田花子"}, form_id=WEB, ip=IP)
    lived.clock.advance(minutes=1)
    erase(lived)
    form_intake.handler(event, LambdaContext(), lived.form_intake())
    assert_gone(lived)
    assert reason(lived) in {"no_address", "erased"}
    assert projected(lived.tables()) == held(lived.tables())


def test_a_mail_that_waited_while_its_writer_was_erased_is_not_kept(lived: World) -> None:
    """In the queue, or among the failures; whom it stops is stopped all the same."""
    lived.confirmed(TARO)
    quoting = f"https://optin.example.jp/u/{lived.token(id_of(TARO))}"
    asks, stops = (
        lived.mail_event(letter(words, sender=f"山田花子 <{HANAKO}>", quoting=quoting))
        for words in ("会場はどこですか。山田", "配信を停止してください。山田")
    )
    lived.clock.advance(minutes=1)
    erase(lived)
    mails = len(lived.ses.mails)
    for event in (asks, stops):
        answer = mail_intake.handler(event, LambdaContext(), lived.mail_intake())
        assert answer == {"batchItemFailures": []}
    lived.work()
    assert_gone(lived)
    assert len(lived.ses.mails) == mails
    assert judge(lived.contacts.get(id_of(TARO)), Profile.MANUAL).reason == "unsubscribed"


@pytest.mark.parametrize("step", ["begin", "create"])
def test_a_mail_taken_in_while_its_writer_is_erased_is_not_kept(lived: World, step: str) -> None:
    event = lived.mail_event(letter("駐車場はありますか。山田", sender=f"山田花子 <{HANAKO}>"))
    case = asked(lived)
    lived.clock.advance(minutes=1)
    deps = lived.mail_intake()
    of = deps.received if step == "begin" else deps.cases
    goes_on = getattr(of, step)

    def after_the_erasure(*args: object, **more: object) -> object:
        run(lived, case.case_id)
        return goes_on(*args, **more)

    setattr(of, step, after_the_erasure)
    mail_intake.handler(event, LambdaContext(), deps)
    lived.work()
    assert_gone(lived)
    assert all(not each.is_open for each in lived.cases.of_contact(id_of(HANAKO)))


def test_a_mail_that_comes_between_looking_and_the_tombstone_goes_too(lived: World) -> None:
    case = asked(lived)
    event = lived.mail_event(letter("駐車場はありますか。山田", sender=f"山田花子 <{HANAKO}>"))
    lived.clock.advance(minutes=1)
    deps = lived.case_worker()
    record = deps.contacts.record

    def after_the_mail(fact: Event) -> None:
        if fact.kind is EventKind.ERASED:
            mail_intake.handler(event, LambdaContext(), lived.mail_intake())
        record(fact)

    deps.contacts.record = after_the_mail  # type: ignore[method-assign,assignment]
    job = payload("campaign_sender")
    job["Records"][0]["body"] = f'{{"case_id": "{case.case_id}"}}'
    case_worker.handler(job, LambdaContext(), deps)
    lived.work()
    assert_gone(lived)


def test_killed_at_every_call_it_ends_the_same(lived: World) -> None:
    case = asked(lived)
    saved, now, mails = lived.saved(), lived.clock.now(), list(lived.ses.mails)
    undisturbed = Faults()
    run(lived, case.case_id, undisturbed)
    assert_gone(lived)
    for number in range(len(undisturbed.calls)):
        for mode in (Mode.DIES_BEFORE, Mode.DIES_AFTER):
            lived.restore(saved)
            lived.clock.time, lived.ses.mails = now, list(mails)
            try:
                run(lived, case.case_id, Faults({number: mode}))
            except Died:
                lived.clock.advance(hours=1)
                run(lived, case.case_id)
            assert_gone(lived)
            assert lived.cases.get(case.case_id).state is CaseState.DONE
            assert 1 <= len(lived.ses.mails) - len(mails) <= 2


def test_calls_depend_on_ones_own_history_only(lived: World) -> None:
    case = asked(lived)
    saved = lived.saved()
    counted = []
    for others in (0, 200):
        lived.restore(saved)
        for number in range(others):
            lived.happened(f"p{number}@example.jp", EventKind.NOTIFIED)
        faults = Faults()
        run(lived, case.case_id, faults)
        counted.append(sorted(faults.calls))
    assert counted[0] == counted[1]


def test_what_cannot_be_deleted_is_tried_again(lived: World) -> None:
    case = asked(lived)
    refused = Faults({}, [])

    class NoDeletes:
        """S3 on a bad day."""

        def delete_objects(self, **_request: object) -> object:
            return {"Errors": [{"Key": "x", "Code": "InternalError"}]}

        def __getattr__(self, name: str) -> object:
            return getattr(lived.s3, name)

    run(
        lived,
        case.case_id,
        replace_wrap(refused, lambda client: NoDeletes() if client is lived.s3 else client),
    )
    assert lived.cases.get(case.case_id).state is CaseState.IN_PROGRESS
    assert reason(lived) in {"no_address", "erased"}  # the tombstone stands already
    run(lived, case.case_id)
    assert_gone(lived)


def replace_wrap(faults: Faults, wrap: object) -> Faults:
    faults.wrap = wrap  # type: ignore[method-assign,assignment]
    return faults


def test_the_bucket_is_the_tests_own(world: World) -> None:
    """What the scan above reads is what S3 would list."""
    world.mail_in(letter("会場はどこですか。"))
    listed = world.s3.list_objects_v2(Bucket=INBOUND)["Contents"]
    assert [each["Key"] for each in listed] == list(world.objects())


def test_what_nobody_could_take_in_goes_too(lived: World) -> None:
    """Their notifications lie in the dead-letter queue and name the writer; others' stay."""
    case = asked(lived)
    by_header = lived.mail_event(b"From: x\r\n\r\n\xff", sender="", key="poison-header")
    envelope = json.loads(by_header["Records"][0]["body"])
    told = json.loads(envelope["Message"])
    told["mail"]["commonHeaders"] = {"from": [f"=?utf-8?q?Y?= <{HANAKO}>"]}
    envelope["Message"] = json.dumps(told)
    bodies = [
        lived.mail_event(b"\xff", sender=HANAKO, key="poison-envelope")["Records"][0]["body"],
        json.dumps(envelope),
        lived.mail_event(b"\xfe", sender=TARO, key="poison-other")["Records"][0]["body"],
        "no notification", '{"Message": "[]"}', '{"Message": "{\\"mail\\": {}}"}',
    ]  # fmt: skip
    for body in bodies:
        lived.sqs.send_message(QueueUrl=lived.failures_url, MessageBody=body)
    run(lived, case.case_id)
    assert {key for key in lived.objects() if key.startswith("poison")} == {"poison-other"}
    attributes = lived.sqs.get_queue_attributes(
        QueueUrl=lived.failures_url, AttributeNames=["All"]
    )["Attributes"]
    left = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible")
    assert sum(int(attributes[name]) for name in left) == len(bodies) - 2
