"""Does what cases owe: mails, stops, erasures; and looks after all open cases every hour.

A job names a case; what is to be done stands in the case (``Task``), so that a crash between
two steps is taken up again, by the queue or by the hourly sweep. First the mail goes out, then
that is saved: a mail whose fate nobody knows may come twice, but none is ever missing.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any

from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse

from functions.queue import worked_through
from shared.adapters import aws
from shared.adapters.cases import CasePage, CaseStore
from shared.adapters.contacts import ContactStore
from shared.adapters.erasure import Erasure
from shared.adapters.failures import FailedMail
from shared.adapters.jobs import CaseJob, JobQueue
from shared.adapters.mailer import Fate, Mailer
from shared.adapters.rawmail import RawMail
from shared.adapters.received import Answers, ReceivedStore
from shared.adapters.secrets import Secrets
from shared.domain import cases, holds
from shared.domain.address import AddressError, contact_id, parse_address, untagged
from shared.domain.calendar import japan_date
from shared.domain.cases import Case, CaseKind, StepKind, Task
from shared.domain.contact import project
from shared.domain.errors import Conflict, Unavailable
from shared.domain.events import Event, EventKind, Source, event_id
from shared.domain.links import CaseLink, Purpose, sign_case
from shared.domain.moving import moves
from shared.mail.compose import Message
from shared.mail.replies import ReplyKind, reply
from shared.settings import CaseWorkerSettings, load
from shared.telemetry import count, logger
from shared.texts.consent import Language

_TRIES = 5
_DELAYS = (15, 60, 240, 900, 900)  # seconds between tries of a mail that SES does not take
_LEFT = timedelta(minutes=45)  # a task that is older was left: longer than all delays together
_PAGE = 100
_SOON = timedelta(days=2)
_ANSWER_LIMIT = "answer_limit"
_NOT_MAILABLE = "not_mailable"
_LINK_ASKED_FOR = "link_asked_for"  # ``cases.ask_identity``
_SAYS_STOP_USE = "says_stop_use"  # of ``wishes``
_DAYS_KEPT = timedelta(days=2)  # an answer's line in the throttle table


@dataclass(frozen=True)
class Deps:
    """What the handler works with."""

    settings: CaseWorkerSettings
    contacts: ContactStore
    cases: CaseStore
    received: ReceivedStore
    rawmail: RawMail
    failed_mail: FailedMail
    answers: Answers
    jobs: JobQueue
    mailer: Mailer
    secrets: Secrets
    now: Callable[[], datetime]


@cache
def _deps() -> Deps:
    settings = load(CaseWorkerSettings, os.environ)
    dynamodb = aws.dynamodb()
    rawmail = RawMail(aws.s3(), settings.inbound_bucket)
    return Deps(
        settings,
        ContactStore(dynamodb, settings.contacts_table, settings.events_table),
        CaseStore(dynamodb, settings.cases_table),
        ReceivedStore(dynamodb, settings.received_table),
        rawmail,
        FailedMail(aws.sqs(), settings.inbound_failures_url, rawmail),
        Answers(dynamodb, settings.throttle_table),
        JobQueue(aws.sqs(), settings.case_queue_url),
        Mailer(aws.sesv2(), settings.configuration_set),
        Secrets(aws.secretsmanager()),
        lambda: datetime.now(UTC),
    )


@logger.inject_lambda_context
def handler(
    event: dict[str, Any], context: Any, deps: Deps | None = None
) -> PartialItemFailureResponse:
    """Work through queue messages; one that fails is delivered again, then dead-lettered."""
    ready = deps or _deps()
    return worked_through(event, context, lambda body: _work(ready, CaseJob.parse(body)))


def _work(deps: Deps, job: CaseJob) -> None:
    try:
        if job.sweep:
            _sweep(deps)
        elif job.answer:
            _answer(deps, job)
        else:
            _do_what_is_owed(deps, job.case_id)
    except _NotNowError as error:
        _put_off(deps, job, error)


class _NotNowError(Exception):
    """SES does not take the mail now, or did not say whether it took it."""


def _put_off(deps: Deps, job: CaseJob, error: _NotNowError) -> None:
    """Try again later. What a case owes stands in it: the sweep takes that up again."""
    if job.tries < len(_DELAYS):
        delay = _DELAYS[job.tries]
        deps.jobs.put([replace(job, tries=job.tries + 1)], delay_seconds=delay)
        logger.warning("put off", extra={"fate": str(error), "delay": delay})
        return
    count("CaseMailsStuck")
    if not job.case_id:
        raise error
    logger.error("left for now", extra={"fate": str(error), "case_id": job.case_id})


# --- one case


def _do_what_is_owed(deps: Deps, case_id: str) -> None:
    case = deps.cases.get(case_id)
    if case.task is not Task.ERASE and _was_erased(deps, case):
        case = deps.cases.forget(case, now=deps.now())
    if case.task is not Task.NONE:
        logger.info("task", extra={"case_id": case.case_id, "task": case.task})
        case = _TASKS[case.task](deps, case)
    if not case.is_open:
        case = _end_hold(deps, case)
    if case.task is not Task.NONE:
        deps.jobs.put([CaseJob(case.case_id)])


def _was_erased(deps: Deps, case: Case) -> bool:
    """It was opened of a mail that came before its writer was erased, by who did not know yet."""
    return bool(case.reply_to) and deps.contacts.get(case.contact_id).erased_since(case.opened_at)


def _settle(deps: Deps, case: Case, change: Callable[[Case], Case]) -> Case:
    """Save what was done, onto whatever was saved meanwhile, unless the task is another then."""
    for _ in range(_TRIES):
        try:
            return deps.cases.save(case, change(case))
        except Conflict:
            task, case = case.task, deps.cases.get(case.case_id)
            if case.task is not task:
                return case
    raise Unavailable("cases:contention")


def _mail(
    deps: Deps,
    case: Case,
    kind: ReplyKind,
    *,
    to: str = "",
    facts: Mapping[str, str] | None = None,
    **more: Any,
) -> bool:
    """Mail the person, once. False: this address cannot be mailed.

    Raises:
        _NotNowError: not now, or nobody knows.
    """
    to = to or case.reply_to
    if not to:
        return False
    settings = deps.settings
    message = reply(
        kind,
        to=to,
        language=case.language,
        company=settings.company,
        mail_domain=settings.mail_domain,
        public_url=settings.public_url,
        case_id=case.case_id,
        in_reply_to=case.in_reply_to,
        facts={"kind": case.kind, **(facts or {})},
        **more,
    )
    return _sent(deps, message, case.case_id)


def _sent(deps: Deps, message: Message, about: str) -> bool:
    answer = deps.mailer.send(message)
    extra = {"fate": answer.fate, "reason": answer.reason, "about": about}
    logger.info("mail", extra=extra)
    if answer.fate is Fate.ACCEPTED:
        return True
    if answer.fate is Fate.REFUSED:
        count("CaseMailsRefused")
        return False
    raise _NotNowError(answer.fate)


def _unmailable(case: Case, now: datetime) -> Case:
    return cases.noted(case, by=cases.SYSTEM, now=now, code=_NOT_MAILABLE)


def _given_up(now: datetime, code: str) -> Callable[[Case], Case]:
    """The system cannot do it: the case is the staff's."""

    def given_up(case: Case) -> Case:
        noted = cases.noted(case, by=cases.SYSTEM, now=now, code=code)
        return replace(noted, task=Task.NONE)

    return given_up


def _may_answer(deps: Deps, case: Case) -> bool:
    """One automatic answer per mailbox and day; what staff ask for is none.

    Mail that nothing vouches for may be anybody's: of its answers there are so many in an hour,
    whoever they go to.
    """
    if not case.reply_to or any(step.details.get("code") == _LINK_ASKED_FOR for step in case.steps):
        return True
    now = deps.now()
    forged = case.mailbox is not None and not case.vouched
    return deps.answers.allow(
        _mailbox(deps, case.reply_to),
        japan_date(now).isoformat(),
        case.case_id,
        now + _DAYS_KEPT,
        hour=f"{now:%Y-%m-%dT%H}" if forged else "",
        most=deps.settings.answers_per_hour,
    )


def _mailbox(deps: Deps, address: str) -> str:
    """Under which name the answers to an address are counted."""
    key = deps.secrets.contact_key(deps.settings.contact_key_secret)
    return contact_id(untagged(parse_address(address).lookup), key)


def _token(deps: Deps, case: Case, purpose: Purpose, asked: StepKind) -> tuple[str, str]:
    """The nonce and the token of a link; the same whenever this step is tried again."""
    before = sum(step.kind is asked for step in case.steps)
    nonce = event_id(case.case_id, purpose, str(before))
    keys = deps.secrets.link_keys(deps.settings.link_keys_secret)
    return nonce, sign_case(CaseLink(case.case_id, nonce, purpose), keys)


# --- the tasks


def _acknowledge(deps: Deps, case: Case) -> Case:
    now = deps.now()
    if not _may_answer(deps, case):
        return _settle(deps, case, _given_up(now, _ANSWER_LIMIT))
    kind = ReplyKind.HELD if case.holds else ReplyKind.RECEIVED
    if not _mail(deps, case, kind, due_on=case.due_on):
        return _settle(deps, case, _given_up(now, _NOT_MAILABLE))
    return _settle(deps, case, lambda case: cases.acknowledged(case, now=now))


def _ask_identity(deps: Deps, case: Case) -> Case:
    now = deps.now()
    if not _may_answer(deps, case):
        return _settle(deps, case, _given_up(now, _ANSWER_LIMIT))
    nonce, link = _token(deps, case, Purpose.IDENTITY, StepKind.IDENTITY_ASKED)
    kind = ReplyKind.CONFIRM_STOP if _is_plain_stop(case) else ReplyKind.ASK_IDENTITY
    expires_at = now + timedelta(hours=cases.IDENTITY_HOURS)
    if not _mail(deps, case, kind, link=link, expires_at=expires_at, due_on=case.due_on):
        return _settle(deps, case, _given_up(now, _NOT_MAILABLE))
    return _settle(deps, case, lambda case: cases.identity_asked(case, nonce=nonce, now=now))


def _stop(deps: Deps, case: Case) -> Case:
    now = deps.now()
    _unsubscribe(deps, case, case.whom)
    kind = ReplyKind.STOPPED if _is_plain_stop(case) else ReplyKind.STOP_USE_DONE
    told = _mail(deps, case, kind)
    return _settle(deps, case, _ended(cases.stopped, told=told, now=now, details={}))


def _unsubscribe(deps: Deps, case: Case, contact_ids: Iterable[str]) -> None:
    for each in contact_ids:
        deps.contacts.record(
            Event(
                contact_id=each,
                event_id=event_id(case.case_id, EventKind.UNSUBSCRIBED),
                kind=EventKind.UNSUBSCRIBED,
                at=_proved_at(case),
                source=Source.REPLY,
                details={"case_id": case.case_id},
            )
        )


def _is_plain_stop(case: Case) -> bool:
    """A stop of mail that had to be confirmed, rather than of every use.

    Where staff said what it is, they mean every use.
    """
    by_staff = case.mailbox is None or cases.has_step(case, StepKind.KIND_CHANGED)
    return case.kind is CaseKind.STOP_USE and case.reason != _SAYS_STOP_USE and not by_staff


def _proved_at(case: Case) -> datetime:
    """From when the person's will counts."""
    proofs = {StepKind.IDENTITY_CONFIRMED, StepKind.HAND_VERIFIED}
    return next((step.at for step in reversed(case.steps) if step.kind in proofs), case.opened_at)


def _ended(
    change: Callable[..., Case], *, told: bool, now: datetime, **details: Mapping[str, str]
) -> Callable[[Case], Case]:
    """It is done, also where the person cannot be told."""

    def ended(case: Case) -> Case:
        case = change(case, now=now, **details)
        return case if told else _unmailable(case, now)

    return ended


def _disclose(deps: Deps, case: Case) -> Case:
    now = deps.now()
    if not _holds_anything(deps, case):
        told = _mail(deps, case, ReplyKind.NOTHING_HELD)
        return _settle(deps, case, _ended(cases.nothing_held, told=told, now=now))
    nonce, link = _token(deps, case, Purpose.DISCLOSURE, StepKind.DISCLOSED)
    expires_at = now + timedelta(hours=cases.DISCLOSURE_HOURS)
    if not _mail(deps, case, ReplyKind.DISCLOSURE_READY, link=link, expires_at=expires_at):
        return _settle(deps, case, _given_up(now, _NOT_MAILABLE))
    return _settle(deps, case, lambda case: cases.disclosed(case, nonce=nonce, now=now))


def _holds_anything(deps: Deps, case: Case) -> bool:
    """Whether anything of the person is on record, this request and its hold apart."""
    about_cases_only = {EventKind.HELD, EventKind.RELEASED}
    history = deps.contacts.history(case.contact_id)
    return (
        any(event.kind not in about_cases_only for event in history)
        or any(other.case_id != case.case_id for other in deps.cases.of_contact(case.contact_id))
        or any(
            line.outcome and line.case_id != case.case_id
            for line in deps.received.of_contact(case.contact_id)
        )
    )


def _verify_new_address(deps: Deps, case: Case) -> Case:
    now = deps.now()
    nonce, link = _token(deps, case, Purpose.NEW_ADDRESS, StepKind.NEW_ADDRESS_ASKED)
    expires_at = now + timedelta(hours=cases.IDENTITY_HOURS)
    to = case.new_address
    if not _mail(deps, case, ReplyKind.NEW_ADDRESS, to=to, link=link, expires_at=expires_at):
        return _settle(deps, case, _given_up(now, _NOT_MAILABLE))
    return _settle(deps, case, lambda case: cases.new_address_asked(case, nonce=nonce, now=now))


def _correct(deps: Deps, case: Case) -> Case:
    now = deps.now()
    address = parse_address(case.new_address)
    key = deps.secrets.contact_key(deps.settings.contact_key_secret)
    new_id = contact_id(address.lookup, key)
    confirmed = next(
        step.at for step in reversed(case.steps) if step.kind is StepKind.NEW_ADDRESS_CONFIRMED
    )
    for event in moves(
        deps.contacts.history(case.contact_id),
        old_id=case.contact_id,
        new_id=new_id,
        address=address,
        at=confirmed,
        case_id=case.case_id,
    ):
        deps.contacts.record(event)
    told = _mail(deps, case, ReplyKind.CORRECTED, to=case.new_address)
    return _settle(deps, case, _ended(cases.corrected, told=told, now=now, details={"to": new_id}))


def _erase(deps: Deps, case: Case) -> Case:
    now = deps.now()
    key = deps.secrets.contact_key(deps.settings.contact_key_secret)

    def id_of(address: str) -> str:
        try:
            return contact_id(parse_address(address).lookup, key)
        except AddressError:
            return ""

    erasure = Erasure(
        deps.contacts, deps.cases, deps.received, deps.rawmail, deps.failed_mail, id_of
    )
    removed = erasure.erase(case, now)
    _unsubscribe(deps, case, case.also)
    told = _mail(deps, case, ReplyKind.ERASED, facts=removed)
    return _settle(deps, case, _ended(cases.erased, told=told, now=now, details=removed))


def _tell_refused(deps: Deps, case: Case) -> Case:
    return _told(deps, case, _mail(deps, case, ReplyKind.REFUSED, text=case.refusal))


def _tell_done(deps: Deps, case: Case) -> Case:
    return _told(deps, case, _mail(deps, case, ReplyKind.DONE))


def _told(deps: Deps, case: Case, told: bool) -> Case:
    now = deps.now()
    if not told:
        return _settle(deps, case, _given_up(now, _NOT_MAILABLE))
    return _settle(deps, case, lambda case: cases.told(case, now=now))


_TASKS: Mapping[Task, Callable[[Deps, Case], Case]] = {
    Task.ACKNOWLEDGE: _acknowledge,
    Task.ASK_IDENTITY: _ask_identity,
    Task.STOP: _stop,
    Task.DISCLOSE: _disclose,
    Task.VERIFY_NEW_ADDRESS: _verify_new_address,
    Task.CORRECT: _correct,
    Task.ERASE: _erase,
    Task.TELL_REFUSED: _tell_refused,
    Task.TELL_DONE: _tell_done,
}


# --- holds


def _end_hold(deps: Deps, case: Case) -> Case:
    """A closed case keeps no address from mailing any more."""
    _release(deps, case)
    if not case.holds:
        return case
    now = deps.now()
    return _settle(deps, case, lambda case: cases.released(case, now=now, by=cases.SYSTEM))


def _release(deps: Deps, case: Case) -> None:
    """Take away this case's holds and no other; also where a person has moved to."""
    for each in case.whom:
        _release_contact(deps, case, each)


def _release_contact(deps: Deps, case: Case, held_at: str) -> None:
    while held_at:
        history = deps.contacts.history(held_at)
        event = holds.released(
            history,
            case.case_id,
            contact_id=held_at,
            at=deps.now(),
            source=Source.REPLY if case.mailbox else Source.STAFF,
        )
        if event is not None:
            deps.contacts.record(event)
            logger.info("released", extra={"contact_id": held_at, "case_id": case.case_id})
        held_at = project(held_at, history).moved_to


# --- a stop that needed no case


def _answer(deps: Deps, job: CaseJob) -> None:
    """Tell that a stop by mail was done, if the address is still held and the limit allows."""
    contact = deps.contacts.get(job.contact_id)
    expires = deps.now() + _DAYS_KEPT
    may = bool(contact.address) and deps.answers.allow(
        _mailbox(deps, contact.address), job.day, job.mail_id, expires
    )
    if not may:
        logger.info("not answered", extra={"contact_id": job.contact_id, "mail_id": job.mail_id})
        return
    settings = deps.settings
    message = reply(
        ReplyKind.STOPPED,
        to=contact.address,
        language=Language(job.language),
        company=settings.company,
        mail_domain=settings.mail_domain,
        public_url=settings.public_url,
        in_reply_to=job.in_reply_to,
    )
    _sent(deps, message, job.mail_id)


# --- every hour


def _sweep(deps: Deps) -> None:
    """Warn, mark what is overdue, void old links, and take up what was left."""
    now = deps.now()
    today = japan_date(now)
    overdue = soon = 0
    for case in _all(lambda after: deps.cases.queue(team=None, limit=_PAGE, after=after)):
        overdue += case.due_on < today
        soon += today <= case.due_on <= today + _SOON
        _look_after(deps, case, today, now)
    for case in _all(lambda after: deps.cases.owed(limit=_PAGE, after=after)):
        _take_up(deps, case, now)
    count("CasesOverdue", overdue)
    count("CasesDueSoon", soon)
    logger.info("swept", extra={"overdue": overdue, "due_soon": soon})


def _all(page_after: Callable[[str], CasePage]) -> Iterator[Case]:
    after = ""
    while True:
        page = page_after(after)
        yield from page.cases
        if not page.after:
            return
        after = page.after


def _look_after(deps: Deps, case: Case, today: date, now: datetime) -> None:
    _take_up(deps, case, now)  # first: whatever is noted now makes the case look looked after
    changed = cases.expired_links(case, now) or case
    while due := cases.clock(changed, today):
        change = cases.warned if due is StepKind.WARNED else cases.overdue
        changed = change(changed, now=now)
        count(f"Case_{due}")
        logger.warning("case", extra={"case_id": case.case_id, "due": due})
    try:
        deps.cases.save(case, changed)
    except Conflict:
        logger.info("changed meanwhile", extra={"case_id": case.case_id})  # the next sweep sees it


def _take_up(deps: Deps, case: Case, now: datetime) -> None:
    """Queue what was left. Not what was decided just now: its own job is on the way."""
    if (case.task is not Task.NONE or not case.is_open) and case.steps[-1].at <= now - _LEFT:
        deps.jobs.put([CaseJob(case.case_id)])
