"""Cases, lines of received mail and raw mail as they are kept."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from shared.adapters.cases import LONGEST_WORDS, CaseMail, CaseStore
from shared.adapters.jobs import CaseJob
from shared.adapters.rawmail import RawMail
from shared.adapters.received import Answers, ReceivedStore
from shared.domain import cases
from shared.domain.cases import Case, CaseKind, CaseState, LinkState, Step, StepKind, Task
from shared.domain.errors import BadRequest, Conflict, NotFound, Unavailable
from shared.domain.events import EventKind, Source
from shared.domain.inbound import Mailbox
from shared.domain.links import NOBODY
from shared.domain.teams import Team
from shared.texts.consent import Language
from tests.integration.fakes import START, Faults, Mode
from tests.integration.world import INBOUND, MUNICIPAL, World, held, id_of, projected

HANAKO = "hanako.yamada@example.jp"


def case(number: int = 1, kind: CaseKind = CaseKind.ERASURE, **fields: Any) -> Case:
    """A case as intake makes it."""
    at = START + timedelta(minutes=number)
    values: dict[str, Any] = {
        "state": CaseState.RECEIVED,
        "contact_id": id_of(HANAKO),
        "language": Language.JA,
        "mailbox": Mailbox.REQUESTS,
        "opened_at": at,
        "due_on": date(2026, 12, 7) + timedelta(days=number),
        "warn_on": date(2026, 12, 4),
        "legal_on": None,
        "reason": "says_erase",
        "confidence": 90,
        "reply_to": HANAKO,
        "subject": "削除のお願い",
        "steps": (Step(at, StepKind.OPENED, "person"),),
        "task": Task.ASK_IDENTITY,
    }
    return Case(f"{number:032x}", kind, **(values | fields))


def mail(number: int = 1, words: str = "削除してください") -> CaseMail:
    return CaseMail(f"{number:032x}", START + timedelta(minutes=number), words, "件名")


def closed(a_case: Case, **fields: Any) -> Case:
    step = Step(a_case.opened_at + timedelta(days=1), StepKind.DONE, "system")
    done = {"state": CaseState.DONE, "task": Task.NONE, "steps": (*a_case.steps, step)}
    return replace(a_case, **(done | fields))


# --- one case


def test_a_case_is_kept_as_it_is(world: World) -> None:
    full = case(
        links={"i": LinkState("ab" * 12, START, START), "d": LinkState("cd" * 12, START)},
        legal_on=date(2026, 12, 24),
        mailbox=None,
        holds=True,
        hand_by="it-a",
        hand_reason="電話で確認",
        new_address="new@example.jp",
        approved_by="it-b",
        refusal="できません",
        in_reply_to="<a@example.jp>",
        steps=(Step(START, StepKind.OPENED, "person", {"mail_id": "m"}),),
    )
    stored = world.cases.create(full, mail())
    assert stored == replace(full, version=1)
    assert world.cases.get(full.case_id) == stored
    assert world.cases.mails(full.case_id) == [mail()]
    with pytest.raises(NotFound) as error:
        world.cases.get("f" * 32)
    assert error.value.code == "unknown_request"


def test_creating_it_again_gives_the_same(world: World) -> None:
    stored = world.cases.create(case(), mail())
    moved_on = world.cases.save(stored, replace(stored, task=Task.NONE))
    assert world.cases.create(case(), mail()) == moved_on
    assert len(world.cases.mails(stored.case_id)) == 1


def test_words_end_somewhere(world: World) -> None:
    world.cases.create(case(), mail(words="長" * 30_000))
    [kept] = world.cases.mails(case().case_id)
    assert len(kept.words) == LONGEST_WORDS


def test_a_second_case_of_the_kind_joins_the_open_one(world: World) -> None:
    first = world.cases.create(case(1), mail(1))
    joined = world.cases.create(case(2), mail(2))
    assert joined.case_id == first.case_id
    assert [step.kind for step in joined.steps] == [StepKind.OPENED, StepKind.MAIL_JOINED]
    assert world.cases.create(case(2), mail(2)) == joined  # again
    assert [each.mail_id for each in world.cases.mails(first.case_id)] == [
        mail(1).mail_id,
        mail(2).mail_id,
    ]
    with pytest.raises(NotFound):
        world.cases.get(case(2).case_id)
    other = world.cases.create(case(3, CaseKind.INQUIRY), mail(3))
    assert other.case_id != first.case_id
    assert world.cases.create(case(4)).case_id == first.case_id  # by staff, without a mail


def test_what_joins_while_somebody_saves_joins_after_all(world: World) -> None:
    first = world.cases.create(case(1), mail(1))
    store = world.cases
    real = store.get

    def get(case_id: str) -> Case:
        found = real(case_id)
        if found.version == 1:
            world.cases.save(found, replace(found, confidence=1))
        return found

    store.get = get  # type: ignore[method-assign]
    joined = store.create(case(2), mail(2))
    assert (joined.case_id, joined.confidence, joined.version) == (first.case_id, 1, 3)


def test_nobodys_cases_are_never_joined(world: World) -> None:
    first = world.cases.create(case(1, contact_id=NOBODY))
    assert world.cases.create(case(2, contact_id=NOBODY)).case_id != first.case_id


def test_after_it_is_closed_a_new_one_is_opened(world: World) -> None:
    first = world.cases.create(case(1))
    world.cases.save(first, closed(first))
    assert world.cases.create(case(2)).case_id == case(2).case_id


def test_a_change_of_kind_takes_its_place_there(world: World) -> None:
    first = world.cases.create(case(1))
    changed = world.cases.save(first, replace(first, kind=CaseKind.INQUIRY))
    assert world.cases.create(case(2, CaseKind.INQUIRY)).case_id == first.case_id
    assert world.cases.create(case(3)).case_id == case(3).case_id
    with pytest.raises(Conflict) as error:
        world.cases.save(
            changed := world.cases.get(first.case_id), replace(changed, kind=CaseKind.ERASURE)
        )
    assert error.value.code == "already_open"
    assert world.cases.get(first.case_id).kind is CaseKind.INQUIRY


def test_two_people_at_once(world: World) -> None:
    read = world.cases.create(case())
    saved = world.cases.save(read, replace(read, confidence=50))
    assert saved.version == read.version + 1
    with pytest.raises(Conflict) as error:
        world.cases.save(read, replace(read, confidence=60))
    assert error.value.code == "changed_meanwhile"
    assert world.cases.save(saved, saved) is saved


def test_a_lost_answer_is_no_conflict(world: World) -> None:
    read = world.cases.create(case())
    faults = Faults({0: Mode.LOST})
    store = CaseStore(faults.wrap(world.dynamodb), "cases")
    now = START + timedelta(microseconds=1_234)
    changed = replace(read, steps=(*read.steps, Step(now, StepKind.NOTED, "cs-a")))
    with pytest.raises(Unavailable):
        store.save(read, changed)
    assert store.save(read, changed).version == 2


def test_contention_is_told_as_such(world: World) -> None:
    read = world.cases.create(case())
    busy = CaseStore(Faults(dict.fromkeys(range(20), Mode.CONFLICT)).wrap(world.dynamodb), "cases")
    with pytest.raises(Unavailable):
        busy.save(read, replace(read, confidence=1))
    with pytest.raises(Unavailable):
        busy.create(case(2, CaseKind.INQUIRY))


# --- lists


def test_queues_by_due_date(world: World) -> None:
    kinds = [CaseKind.ERASURE, CaseKind.INQUIRY, CaseKind.DISCLOSURE, CaseKind.STOP_USE]
    for number, kind in enumerate(kinds, 1):
        world.cases.create(case(number, kind))
    world.cases.create(case(9, contact_id=id_of("taro@example.jp")))

    def numbers(team: Team | None, limit: int = 10, after: str = "") -> tuple[list[int], str]:
        page = world.cases.queue(team=team, limit=limit, after=after)
        return [int(each.case_id, 16) for each in page.cases], page.after

    assert numbers(Team.IT) == ([1, 3, 9], "")
    assert numbers(Team.CS) == ([2, 4], "")
    assert numbers(None) == ([1, 2, 3, 4, 9], "")
    first, after = numbers(None, 2)
    assert first == [1, 2]
    assert numbers(None, 2, after)[0] == [3, 4]
    assert numbers(None, 2, numbers(None, 2, after)[1]) == ([9], "")


def test_closed_ones_the_newest_first(world: World) -> None:
    for number in range(1, 4):
        stored = world.cases.create(case(number, contact_id=f"{number:032x}"))
        owes = {"task": Task.TELL_DONE} if number == 2 else {}
        world.cases.save(stored, closed(stored, **owes))
    page = world.cases.closed(limit=2)
    assert [int(each.case_id, 16) for each in page.cases] == [3, 2]
    page = world.cases.closed(limit=2, after=page.after)
    assert ([int(each.case_id, 16) for each in page.cases], page.after) == ([1], "")
    assert world.cases.queue(team=None, limit=9).cases == ()
    [owed] = world.cases.owed(limit=9).cases
    assert owed.task is Task.TELL_DONE


def test_all_of_a_contact_page_by_page(world: World) -> None:
    for number, kind in enumerate(CaseKind, 1):
        stored = world.cases.create(case(number, kind), mail(number))
        if number == 1:
            world.cases.save(stored, closed(stored))
    world.cases.create(case(8, contact_id=NOBODY))

    class OneByOne:
        """DynamoDB that answers one item at a time."""

        def query(self, **request: Any) -> Any:
            return world.dynamodb.query(**{**request, "Limit": 1})

    slowly = CaseStore(OneByOne(), "cases")  # type: ignore[arg-type]
    expected = list(range(1, len(CaseKind) + 1))
    for store in (world.cases, slowly):
        found = store.of_contact(id_of(HANAKO))
        assert [int(each.case_id, 16) for each in found] == expected
        assert len(store.mails(found[0].case_id)) == 1


def test_forgetting_leaves_nothing_personal(world: World) -> None:
    stored = world.cases.create(case(), mail(words="山田花子です"))
    sent = CaseMail("m", START, "ご返信", "Re: 件名", direction="out", by="cs-a")
    stored = world.cases.save(stored, stored, sent)
    forgotten = world.cases.forget(stored, now=START)
    assert (forgotten.reply_to, forgotten.subject) == ("", "")
    assert cases.forgotten(forgotten, now=START) == forgotten
    told = repr(world.table("cases"))
    assert not any(secret in told for secret in (HANAKO, "山田", "ご返信", "件名"))
    kept = world.cases.mails(stored.case_id)
    assert [(each.words, each.direction) for each in kept] == [("", "out"), ("", "in")]
    world.cases.forget_mails(stored.case_id)


# --- lines


def begin(world: World, number: int = 1, key: str = "o1", contact: str = HANAKO) -> Any:
    at = START + timedelta(minutes=number)
    who = id_of(contact)
    return world.received.begin(f"{number:032x}", key, at, contact_id=who, mailbox=Mailbox.REPLY)


def test_a_line_is_written_once_and_knows_every_object(world: World) -> None:
    first = begin(world)
    assert (first.outcome, first.object_keys) == ("", {"o1"})
    later = START + timedelta(days=1)
    again = world.received.begin(
        first.mail_id, "o2", later, contact_id=id_of("x@example.jp"), mailbox=None
    )
    assert again == replace(first, object_keys=frozenset({"o1", "o2"}))
    world.received.finish(first, outcome="case", reason="says_erase", case_id="c")
    line = world.received.get(first.mail_id)
    assert (line.outcome, line.reason, line.case_id) == ("case", "says_erase", "c")
    assert line.expires_at == int((START + timedelta(days=400, minutes=1)).timestamp())
    with pytest.raises(NotFound):
        world.received.get("unknown")


def test_filtered_lines_until_staff_open_one(world: World) -> None:
    for number in range(1, 4):
        line = begin(world, number)
        world.received.finish(line, outcome="filtered", reason="spam", filtered=True)
    page = world.received.filtered(limit=2)
    assert [int(each.mail_id, 16) for each in page.lines] == [3, 2]
    world.received.opened(page.lines[0], "c")
    assert world.received.get(page.lines[0].mail_id).case_id == "c"
    page = world.received.filtered(limit=2, after=page.after)
    assert ([int(each.mail_id, 16) for each in page.lines], page.after) == ([1], "")
    assert len(world.received.filtered(limit=9).lines) == 2


def test_a_mail_may_concern_others_than_its_writer(world: World) -> None:
    line = begin(world)
    other, writer = id_of("taro@example.jp"), id_of(HANAKO)
    world.received.finish(line, outcome="unsubscribed", reason="", also_about=[other, writer])
    own = begin(world, 2, "o2", "taro@example.jp")
    finished = world.received.get(line.mail_id)
    assert world.received.of_contact(other) == [finished, own]
    assert world.received.of_contact(writer) == [finished]
    with pytest.raises(NotFound):
        world.received.get(f"{line.mail_id}#{other}")


def test_lines_page_by_page(world: World) -> None:
    for number in range(1, 4):
        begin(world, number)

    class OneByOne:
        def query(self, **request: Any) -> Any:
            return world.dynamodb.query(**{**request, "Limit": 1})

    slowly = ReceivedStore(OneByOne(), "received")  # type: ignore[arg-type]
    assert slowly.of_contact(id_of(HANAKO)) == world.received.of_contact(id_of(HANAKO))
    assert len(slowly.of_contact(id_of(HANAKO))) == 3


def test_erased_objects_are_known_as_such(world: World) -> None:
    line = begin(world)
    world.received.finish(line, outcome="filtered", reason="spam", filtered=True)
    assert not world.received.is_erased("o1")
    world.received.erase([line])
    assert world.received.is_erased("o1")
    assert world.received.get(line.mail_id).erased
    assert world.received.filtered(limit=9).lines == ()


def test_one_answer_a_day_and_again_only_the_same(world: World) -> None:
    answers = Answers(world.dynamodb, "throttle")
    assert answers.allow("c", "2026-11-24", "mail-1", START)
    assert answers.allow("c", "2026-11-24", "mail-1", START)
    assert not answers.allow("c", "2026-11-24", "mail-2", START)
    assert answers.allow("c", "2026-11-25", "mail-2", START)
    assert answers.allow("d", "2026-11-24", "mail-2", START)


def test_so_many_answers_an_hour_whoever_they_go_to(world: World) -> None:
    answers = Answers(world.dynamodb, "throttle")

    def allow(mailbox: str, about: str, hour: str = "2026-11-24T10") -> bool:
        return answers.allow(mailbox, "2026-11-24", about, START, hour=hour, most=2)

    assert [allow("c", "mail-1"), allow("c", "mail-1"), allow("d", "mail-2")] == [True] * 3
    assert [allow("e", "mail-3"), allow("d", "mail-2"), allow("d", "mail-4")] == [
        False, True, False,
    ]  # fmt: skip
    assert allow("e", "mail-3", "2026-11-24T11")
    assert answers.allow("f", "2026-11-24", "mail-5", START)


def test_answers_at_the_same_moment_are_tried_again() -> None:
    class Busy:
        def transact_write_items(self, **_request: Any) -> Any:
            reasons = [{"Code": "None"}, {"Code": "TransactionConflict"}]
            told = {"Error": {"Code": "TransactionCanceledException"}}
            raise ClientError({**told, "CancellationReasons": reasons}, "x")  # type: ignore[typeddict-item]

    with pytest.raises(Unavailable):
        Answers(Busy(), "t").allow("c", "d", "m", START, hour="h", most=1)  # type: ignore[arg-type]


# --- raw mail


def test_raw_mail(world: World) -> None:
    store = RawMail(world.s3, INBOUND)
    world.s3.put_object(Bucket=INBOUND, Key="a", Body=b"0123456789")
    assert store.read("a", 10) == (b"0123456789", True)
    assert store.read("a", 9) == (b"012345678", False)
    url = store.url("a", 300)
    assert "X-Amz-Expires=300" in url or "Expires=" in url
    store.delete(["a", "gone"])
    with pytest.raises(NotFound) as error:
        store.read("a", 10)
    assert error.value.code == "raw_mail_gone"
    with pytest.raises(Unavailable):
        RawMail(world.s3, "another-bucket").read("a", 10)


def test_what_could_not_be_deleted_is_told() -> None:
    class Refusing:
        def delete_objects(self, **_request: Any) -> Any:
            return {"Errors": [{"Key": "a", "Code": "AccessDenied"}]}

    with pytest.raises(Unavailable) as error:
        RawMail(Refusing(), INBOUND).delete(["a"])  # type: ignore[arg-type]
    assert error.value.code == "rawmail:AccessDenied"


# --- jobs


@pytest.mark.parametrize(
    "body", ["", "[]", "{}", '{"case_id": ""}', '{"case_id": "a", "sweep": true}', '{"x": 1}']
)
def test_a_job_that_is_none_of_ours(body: str) -> None:
    with pytest.raises(BadRequest):
        CaseJob.parse(body)


def test_jobs_say_no_more_than_they_must() -> None:
    assert CaseJob("a").body == '{"case_id": "a"}'
    assert CaseJob(sweep=True).body == '{"sweep": true}'
    assert CaseJob.parse(CaseJob("a", tries=2).body) == CaseJob("a", tries=2)


# --- wiping a contact


def test_wiping_takes_what_people_typed_and_keeps_what_proves(world: World) -> None:
    world.confirmed(HANAKO)
    typed = {"operator": "cs-a", "reason": "山田様よりお電話", "request_id": "r"}
    world.happened(HANAKO, EventKind.BOUNCED, source=Source.SES)
    world.happened(HANAKO, EventKind.BOUNCE_LIFTED, source=Source.STAFF, details=typed)
    page = {"form_id": MUNICIPAL, "page_url": "https://city.example.jp/?mail=a@b.jp#x"}
    world.happened(HANAKO, EventKind.OPTED_IN, details=page)
    before = world.contacts.history(id_of(HANAKO))
    for _ in range(2):
        world.contacts.wipe(id_of(HANAKO), world.contacts.history(id_of(HANAKO)))
    after = world.contacts.history(id_of(HANAKO))
    assert [event.key for event in after] == [event.key for event in before]
    assert [event.wording for event in after] == [event.wording for event in before]
    assert not any(event.personal for event in after)
    assert "山田" not in repr(world.table("events")) + repr(world.table("contacts"))
    assert after[-1].details["page_url"] == "https://city.example.jp/"
    assert after[-2].details == {"operator": "cs-a", "request_id": "r"}
    # The address register is the tombstone's to clear; the rest is what the events say.
    world.happened(HANAKO, EventKind.ERASED, source=Source.REPLY)
    assert projected(world.tables()) == held(world.tables())
