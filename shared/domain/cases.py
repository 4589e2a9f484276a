"""Cases: what a person asked for, and how far it is (manual R1; 個人情報保護法 33–39条; GDPR 12).

A case is a frozen value; each function here answers what it becomes, or refuses. ``task`` is
what the system itself owes next, so that a crash between two steps is taken up again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from types import MappingProxyType

from shared.domain.calendar import BusinessCalendar, Terms, gdpr_month, japan_date, warn_on
from shared.domain.eligibility import EU
from shared.domain.errors import Conflict, NotAllowed
from shared.domain.inbound import Mailbox
from shared.domain.links import NOBODY, CaseLink, Purpose
from shared.domain.teams import Team
from shared.texts.consent import Language


class CaseKind(StrEnum):
    """What is asked for."""

    DISCLOSURE = "disclosure"  # 開示
    CORRECTION = "correction"  # 変更・訂正
    ERASURE = "erasure"  # 削除
    STOP_USE = "stop_use"  # 利用停止, and a stop that must be confirmed first
    INQUIRY = "inquiry"  # anything else


class CaseState(StrEnum):
    """How far it is."""

    RECEIVED = "received"
    IDENTITY_ASKED = "identity_asked"
    VERIFIED = "verified"
    IN_PROGRESS = "in_progress"
    DONE = "done"
    REFUSED = "refused"


class Task(StrEnum):
    """What the system owes next, if anything."""

    NONE = "none"
    ACKNOWLEDGE = "acknowledge"  # tell the person that it was received
    ASK_IDENTITY = "ask_identity"  # mail the link to the address itself
    STOP = "stop"  # record the stop, then tell
    DISCLOSE = "disclose"  # mail the one-time link to the file
    VERIFY_NEW_ADDRESS = "verify_new_address"  # mail the link to the new address
    CORRECT = "correct"  # move to the new address, then tell
    ERASE = "erase"  # erase, tell, forget the address
    TELL_REFUSED = "tell_refused"  # tell why not
    TELL_DONE = "tell_done"  # tell that it is done


class StepKind(StrEnum):
    """What stands in a case's history."""

    OPENED = "opened"
    MAIL_JOINED = "mail_joined"
    KIND_CHANGED = "kind_changed"
    HELD = "held"
    RELEASED = "released"
    ACKNOWLEDGED = "acknowledged"
    IDENTITY_ASKED = "identity_asked"
    IDENTITY_EXPIRED = "identity_expired"
    IDENTITY_CONFIRMED = "identity_confirmed"
    HAND_VERIFICATION_PROPOSED = "hand_verification_proposed"
    HAND_VERIFIED = "hand_verified"
    NEW_ADDRESS_GIVEN = "new_address_given"
    NEW_ADDRESS_ASKED = "new_address_asked"  # the link was mailed to the new address
    NEW_ADDRESS_CONFIRMED = "new_address_confirmed"
    APPROVED = "approved"
    LINK_EXPIRED = "link_expired"  # to the new address, or to the file
    DISCLOSED = "disclosed"  # the link to the file was mailed
    FETCHED = "fetched"  # the person took the file
    STOPPED = "stopped"
    CORRECTED = "corrected"
    ERASED = "erased"
    REPLIED = "replied"  # staff wrote to the person
    NOTED = "noted"
    WARNED = "warned"  # day 10 (個人情報保護法 39条)
    OVERDUE = "overdue"
    DONE = "done"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Step:
    """One entry of a case's history. ``by`` is ``system``, ``person`` or an operator.

    ``details`` never holds anything personal: it outlives an erasure.
    """

    at: datetime
    kind: StepKind
    by: str
    details: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True)
class LinkState:
    """The one link of its purpose that still counts: older ones are void, a used one too."""

    nonce: str
    expires_at: datetime
    used_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Case:
    """One request of one person.

    ``reply_to`` and ``new_address`` are personal and go with an erasure; ``contact_id`` is the
    keyed hash (``links.NOBODY`` where the writer is not known). ``links`` by purpose.
    ``due_on`` is the day promised; ``warn_on`` day 10; ``legal_on`` GDPR's month, where it
    applies. ``holds``: the case keeps the address from mailing until it is decided; with it
    ``also``, the contacts whose link the mail quoted: the writer reads their mail too.
    ``vouched``: the mail that opened it surely was the writer's.
    """

    case_id: str
    kind: CaseKind
    state: CaseState
    contact_id: str
    language: Language
    mailbox: Mailbox | None  # None: opened by staff
    opened_at: datetime
    due_on: date
    warn_on: date
    legal_on: date | None
    reason: str  # why this kind: a code of ``wishes``
    confidence: int  # percent
    reply_to: str = ""
    subject: str = ""  # personal too: as the person wrote it
    in_reply_to: str = ""  # Message-ID to answer to
    holds: bool = False
    also: tuple[str, ...] = ()
    vouched: bool = False
    task: Task = Task.NONE
    links: Mapping[str, LinkState] = field(default_factory=lambda: MappingProxyType({}))
    hand_by: str = ""  # who proposed to verify by hand; another must agree
    hand_reason: str = ""
    new_address: str = ""
    approved_by: str = ""
    refusal: str = ""  # what the person is told
    steps: tuple[Step, ...] = ()
    version: int = 0

    @property
    def is_open(self) -> bool:
        """Neither done nor refused."""
        return self.state not in {CaseState.DONE, CaseState.REFUSED}

    @property
    def stop_is_certain(self) -> bool:
        """Whoever asks is verified, and wants no more mail, whatever else comes of it (R1)."""
        return self.kind in IMPLY_STOP and self.state in {CaseState.VERIFIED, CaseState.IN_PROGRESS}

    @property
    def whom(self) -> tuple[str, ...]:
        """The contacts that it holds, where it holds, and that a stop by it is about."""
        return self.also if self.contact_id == NOBODY else (self.contact_id, *self.also)


SYSTEM = "system"
PERSON = "person"
IDENTITY_HOURS = 72
DISCLOSURE_HOURS = 168
MOST_JOINED = 100  # mails: whoever floods a case must not make it too large to be decided
MOST_ALSO = 100  # contacts, for the same reason
MORE_MAILS = "more_mails"  # noted once, where more came
ERASED_MEANWHILE = "erased"  # a refusal: the person was erased by another request

# What these ask implies that no more mail is wanted (manual R1).
IMPLY_STOP = frozenset({CaseKind.ERASURE, CaseKind.STOP_USE})
# Who carries it out (manual R1).
TEAM_OF: Mapping[CaseKind, Team] = MappingProxyType(
    {
        CaseKind.DISCLOSURE: Team.IT,
        CaseKind.CORRECTION: Team.IT,
        CaseKind.ERASURE: Team.IT,
        CaseKind.STOP_USE: Team.CS,
        CaseKind.INQUIRY: Team.CS,
    }
)
_UNVERIFIED = frozenset({CaseState.RECEIVED, CaseState.IDENTITY_ASKED})
# What the system is in the middle of: nobody may decide otherwise meanwhile.
_UNDER_WAY = frozenset({Task.STOP, Task.CORRECT, Task.ERASE})
_TELLING = frozenset({Task.TELL_REFUSED, Task.TELL_DONE})
_CONFLICTS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "case_closed": (
            "この依頼はすでに終了しています。",
            "This request is already closed.",
        ),
        "link_used": (
            "このリンクはすでに使われています。",
            "This link has already been used.",
        ),
        "link_expired": (
            "このリンクは有効期限が切れています。お手数ですが、もう一度ご連絡ください。",
            "This link has expired. Please write to us again.",
        ),
        "link_void": (
            "このリンクは無効になっています。新しいメールのリンクをお使いください。",
            "This link is no longer valid. Please use the link in the newer mail.",
        ),
        "already_verified": (
            "ご本人の確認はすでに済んでいます。",
            "The identity has already been confirmed.",
        ),
        "not_verified": (
            "ご本人の確認がまだ済んでいません。",
            "The identity has not been confirmed yet.",
        ),
        "under_way": (
            "この依頼はすでに実施中のため、変更できません。",
            "This request is being carried out and cannot be changed.",
        ),
        "not_carried_out": (
            "この依頼はまだ実施されていません。実施するか、お断りしてください。",
            "This request has not been carried out: carry it out or refuse it.",
        ),
        "wrong_kind": (
            "この種類の依頼では行えない操作です。",
            "This cannot be done with a request of this kind.",
        ),
        "not_owed": (
            "この依頼では、いま行う必要のない処理です。",
            "Nothing of the kind is due on this request.",
        ),
        "nobody_known": (
            "差出人のアドレスがわからないため、ご本人の確認ができません。",
            "The writer's address is not known, so the identity cannot be confirmed.",
        ),
        "no_reply_address": (
            "返信先のアドレスがないため、メールを送れません。",
            "There is no address to write to.",
        ),
    }
)


def _conflict(code: str) -> Conflict:
    return Conflict(code, *_CONFLICTS[code])


def _must_be_open(case: Case) -> None:
    if not case.is_open:
        raise _conflict("case_closed")


def _must_be_free(case: Case) -> None:
    """Open, and not in the middle of being carried out."""
    _must_be_open(case)
    if case.task in _UNDER_WAY:
        raise _conflict("under_way")


def _must_owe(case: Case, *tasks: Task) -> None:
    if case.task not in tasks:
        raise _conflict("not_owed")


def _must_not_be_moved(case: Case) -> None:
    """A correction that was carried out is another's matter from then on."""
    if case.state is CaseState.IN_PROGRESS:
        raise _conflict("under_way")


def _must_have_somebody(case: Case) -> None:
    if case.contact_id == NOBODY:
        raise _conflict("nobody_known")


def _step(
    case: Case, kind: StepKind, now: datetime, by: str, details: Mapping[str, str] | None = None
) -> Case:
    step = Step(now, kind, by, MappingProxyType(dict(details or {})))
    return replace(case, steps=(*case.steps, step))


def has_step(case: Case, kind: StepKind) -> bool:
    """Whether such a step stands in the history."""
    return any(step.kind is kind for step in case.steps)


# ---- coming in


def opened(
    *,
    case_id: str,
    kind: CaseKind,
    contact_id: str,
    language: Language,
    mailbox: Mailbox | None,
    now: datetime,
    calendar: BusinessCalendar,
    terms: Terms,
    region: str,
    reason: str,
    confidence: int,
    task: Task,
    holds: bool,
    reply_to: str,
    subject: str = "",
    in_reply_to: str = "",
    also: tuple[str, ...] = (),
    vouched: bool = False,
    by: str = PERSON,
) -> Case:
    """A new case. Days are Japan's; where GDPR applies, its month bounds what is promised."""
    received = japan_date(now)
    due_on = terms.due(received, calendar)
    legal_on = gdpr_month(received) if region == EU else None
    case = Case(
        case_id=case_id,
        kind=kind,
        state=CaseState.RECEIVED,
        contact_id=contact_id,
        language=language,
        mailbox=mailbox,
        opened_at=now,
        due_on=min(due_on, legal_on) if legal_on else due_on,
        warn_on=warn_on(received),
        legal_on=legal_on,
        reason=reason,
        confidence=confidence,
        reply_to=reply_to,
        subject=subject,
        in_reply_to=in_reply_to,
        vouched=vouched,
        task=task,
    )
    told = {"kind": kind.value, "reason": reason, "confidence": str(confidence)}
    case = _step(case, StepKind.OPENED, now, by, told)
    return held(case, now=now, by=SYSTEM, also=also) if holds else case


def joined(case: Case, *, mail_id: str, now: datetime) -> Case:
    """A further mail about the same; it is answered by staff, never by itself. Once for each.

    Of too many only that there were more is noted (``is_full``).

    Raises:
        Conflict: the case is closed; the mail opens another.
    """
    _must_be_open(case)
    if any(step.details.get("mail_id") == mail_id for step in case.steps):
        return case
    if is_full(case):
        known = any(step.details.get("code") == MORE_MAILS for step in case.steps)
        return case if known else noted(case, by=SYSTEM, now=now, code=MORE_MAILS)
    return _step(case, StepKind.MAIL_JOINED, now, PERSON, {"mail_id": mail_id})


def is_full(case: Case) -> bool:
    """No further mail is kept with it: each is kept as it came, for as long as any."""
    return sum(step.kind is StepKind.MAIL_JOINED for step in case.steps) >= MOST_JOINED


def with_kind(
    case: Case, kind: CaseKind, *, by: str, why: str, own_mailbox: bool, now: datetime
) -> Case:
    """Staff read it otherwise. ``why`` is a code; ``own_mailbox`` as for ``needs``.

    A confirmation, a link or a proposal that was about the other kind counts no longer: nobody
    confirms what they were not shown. Where the person was asked, they are asked again; an
    inquiry needs no confirmation.

    Raises:
        Conflict: it is closed or being carried out.
    """
    _must_be_free(case)
    if case.state is CaseState.IN_PROGRESS and case.kind is not CaseKind.INQUIRY:
        raise _conflict("under_way")
    if kind is case.kind:
        return case
    details = {"from": case.kind.value, "to": kind.value, "reason": why}
    changed = replace(case, kind=kind, hand_by="", hand_reason="", links=MappingProxyType({}))
    changed = _step(changed, StepKind.KIND_CHANGED, now, by, details)
    answers = case.state is CaseState.IDENTITY_ASKED or case.task in {
        Task.ASK_IDENTITY,
        Task.ACKNOWLEDGE,
    }
    if kind is CaseKind.INQUIRY:
        task = Task.ACKNOWLEDGE if answers else Task.NONE
    else:
        asks = own_mailbox and (answers or case.state is CaseState.VERIFIED)
        task = Task.ASK_IDENTITY if asks else Task.NONE
    return replace(changed, state=CaseState.RECEIVED, task=task)


def with_region(case: Case, region: str, *, by: str, now: datetime) -> Case:
    """Where the person is known to live by now; of a closed case nothing changes.

    GDPR's month counts from the day of receipt. It may bring the day promised forward; what
    was promised is never put off.
    """
    month = gdpr_month(japan_date(case.opened_at)) if region == EU else None
    if not case.is_open or month == case.legal_on:
        return case
    due_on = min(case.due_on, month) if month else case.due_on
    code = "gdpr_applies" if month else "gdpr_does_not_apply"
    return noted(replace(case, legal_on=month, due_on=due_on), by=by, now=now, code=code)


def acknowledged(case: Case, *, now: datetime) -> Case:
    """The person was told that it was received."""
    _must_owe(case, Task.ACKNOWLEDGE)
    return _step(replace(case, task=Task.NONE), StepKind.ACKNOWLEDGED, now, SYSTEM)


# ---- who asks


def ask_identity(case: Case, *, by: str, now: datetime) -> Case:
    """Staff have a link mailed, again where need be: the one that the case waits for.

    That is the link that confirms the identity; once it is, the one to the new address or to
    the file.

    Raises:
        Conflict: there is nobody to ask, or nothing to wait for.
    """
    _must_be_free(case)
    _must_have_somebody(case)
    if not case.reply_to:
        raise _conflict("no_reply_address")
    if case.state in _UNVERIFIED:
        if case.kind is CaseKind.INQUIRY:
            raise _conflict("wrong_kind")
        task = Task.ASK_IDENTITY
    elif case.kind is CaseKind.DISCLOSURE:
        task = Task.DISCLOSE
    elif case.kind is CaseKind.CORRECTION and case.new_address:
        _must_not_be_moved(case)
        task = Task.VERIFY_NEW_ADDRESS
    else:
        raise _conflict("already_verified")
    return noted(replace(case, task=task), by=by, now=now, code="link_asked_for")


def identity_asked(case: Case, *, nonce: str, now: datetime) -> Case:
    """The link was mailed to the address itself; an older one is void."""
    _must_be_open(case)
    _must_have_somebody(case)
    if case.state not in _UNVERIFIED:
        raise _conflict("already_verified")
    asked = _with_link(case, Purpose.IDENTITY, nonce, now, IDENTITY_HOURS)
    asked = replace(asked, state=CaseState.IDENTITY_ASKED, task=Task.NONE)
    return _step(asked, StepKind.IDENTITY_ASKED, now, SYSTEM)


def check_link(case: Case, link: CaseLink, *, now: datetime) -> None:
    """Whether the link still works, changing nothing (what a GET may ask).

    Raises:
        Conflict: ``link_used``, ``link_void`` (there is a newer one, or it is about something
            else by now), ``case_closed``, ``link_expired``.
    """
    state = case.links.get(link.purpose)
    if link.case_id != case.case_id or state is None or state.nonce != link.nonce:
        raise _conflict("link_void" if case.is_open else "case_closed")
    if state.used_at is not None:
        raise _conflict("link_used")
    _must_be_open(case)
    if now >= state.expires_at:
        raise _conflict("link_expired")


def confirmed(case: Case, link: CaseLink, *, now: datetime, erasure_runs_by_itself: bool) -> Case:
    """The person confirmed by the link in their own mailbox; what was asked for is due.

    Raises:
        Conflict: the link does not work, or staff have verified the person meanwhile.
    """
    used = _with_used_link(case, link, Purpose.IDENTITY, now)
    if case.state not in _UNVERIFIED:
        raise _conflict("already_verified")
    verified = _step(used, StepKind.IDENTITY_CONFIRMED, now, PERSON)
    return _to_be_carried_out(verified, now, erasure_runs_by_itself=erasure_runs_by_itself)


def by_hand(
    case: Case, *, by: str, reason: str, now: datetime, erasure_runs_by_itself: bool
) -> Case:
    """Staff verify the person some other way. The first proposes it, another agrees.

    Raises:
        Conflict: it is closed, verified already, or about nobody known.
        NotAllowed: the same person cannot be both.
    """
    _must_be_open(case)
    _must_have_somebody(case)
    if case.state not in _UNVERIFIED:
        raise _conflict("already_verified")
    if not case.hand_by:
        proposed = replace(case, hand_by=by, hand_reason=reason)
        return _step(proposed, StepKind.HAND_VERIFICATION_PROPOSED, now, by)
    if case.hand_by == by:
        raise NotAllowed(
            "second_person_needed",
            "ご本人の確認には、提案した人とは別の担当者の同意が必要です。",
            "Somebody other than who proposed it must agree.",
        )
    verified = _step(case, StepKind.HAND_VERIFIED, now, by)
    return _to_be_carried_out(verified, now, erasure_runs_by_itself=erasure_runs_by_itself)


def _to_be_carried_out(case: Case, now: datetime, *, erasure_runs_by_itself: bool) -> Case:
    """Verified; what follows by itself is owed."""
    task = {
        CaseKind.STOP_USE: Task.STOP,
        CaseKind.DISCLOSURE: Task.DISCLOSE,
        CaseKind.CORRECTION: Task.VERIFY_NEW_ADDRESS if case.new_address else Task.NONE,
    }.get(case.kind, Task.NONE)
    verified = replace(case, state=CaseState.VERIFIED, task=task)
    if case.kind is CaseKind.ERASURE and erasure_runs_by_itself:
        return approved(verified, by=SYSTEM, now=now)
    return verified


# ---- carrying out


def approved(case: Case, *, by: str, now: datetime) -> Case:
    """The erasure may run.

    Raises:
        Conflict: it is none, or the person is not verified, or it runs already.
    """
    _must_be_free(case)
    if case.kind is not CaseKind.ERASURE:
        raise _conflict("wrong_kind")
    if case.state is not CaseState.VERIFIED:
        raise _conflict("not_verified")
    running = replace(case, state=CaseState.IN_PROGRESS, task=Task.ERASE, approved_by=by)
    return _step(running, StepKind.APPROVED, now, by)


def new_address(case: Case, address: str, *, by: str, now: datetime) -> Case:
    """Where the person wants to be written to instead; it is verified too, after the person.

    Raises:
        Conflict: it is no correction, or already being carried out.
    """
    _must_be_free(case)
    if case.kind is not CaseKind.CORRECTION:
        raise _conflict("wrong_kind")
    _must_not_be_moved(case)
    links = {name: link for name, link in case.links.items() if name != Purpose.NEW_ADDRESS}
    task = Task.VERIFY_NEW_ADDRESS if case.state is CaseState.VERIFIED else case.task
    given = replace(case, new_address=address, links=MappingProxyType(links), task=task)
    return _step(given, StepKind.NEW_ADDRESS_GIVEN, now, by)


def new_address_asked(case: Case, *, nonce: str, now: datetime) -> Case:
    """The link was mailed to the new address; an older one is void."""
    _must_owe(case, Task.VERIFY_NEW_ADDRESS)
    asked = _with_link(case, Purpose.NEW_ADDRESS, nonce, now, IDENTITY_HOURS)
    return _step(replace(asked, task=Task.NONE), StepKind.NEW_ADDRESS_ASKED, now, SYSTEM)


def new_address_confirmed(case: Case, link: CaseLink, *, now: datetime) -> Case:
    """Whoever reads mail at the new address agreed.

    Raises:
        Conflict: the link does not work.
    """
    used = _with_used_link(case, link, Purpose.NEW_ADDRESS, now)
    moving = replace(used, state=CaseState.IN_PROGRESS, task=Task.CORRECT)
    return _step(moving, StepKind.NEW_ADDRESS_CONFIRMED, now, PERSON)


def disclosed(case: Case, *, nonce: str, now: datetime) -> Case:
    """The one-time link to the file was mailed; an older one is void."""
    _must_owe(case, Task.DISCLOSE)
    mailed = _with_link(case, Purpose.DISCLOSURE, nonce, now, DISCLOSURE_HOURS)
    mailed = replace(mailed, state=CaseState.IN_PROGRESS, task=Task.NONE)
    return _step(mailed, StepKind.DISCLOSED, now, SYSTEM)


def fetched(case: Case, link: CaseLink, *, now: datetime) -> Case:
    """The person took the file, which ends the case.

    Raises:
        Conflict: the link does not work.
    """
    used = _with_used_link(case, link, Purpose.DISCLOSURE, now)
    return _step(_ended(used), StepKind.FETCHED, now, PERSON)


def nothing_held(case: Case, *, now: datetime) -> Case:
    """There is nothing to disclose, and the person was told."""
    _must_owe(case, Task.DISCLOSE)
    ended = _ended(case)
    kind = StepKind.NOTED if ended.is_open else StepKind.DONE
    return _step(ended, kind, now, SYSTEM, {"code": "nothing_held"})


def _ended(case: Case) -> Case:
    """Done, unless the mail may have asked for a stop beside: that is the staff's to decide.

    What implies a stop has been stopped.
    """
    undecided = case.holds and case.kind not in IMPLY_STOP
    state = CaseState.IN_PROGRESS if undecided else CaseState.DONE
    return replace(case, state=state, task=Task.NONE)


def stopped(case: Case, *, now: datetime, details: Mapping[str, str]) -> Case:
    """The stop is recorded, and the person told."""
    return _carried_out(case, Task.STOP, StepKind.STOPPED, now, details)


def corrected(case: Case, *, now: datetime, details: Mapping[str, str]) -> Case:
    """The address is changed, and the person told."""
    return _carried_out(case, Task.CORRECT, StepKind.CORRECTED, now, details)


def erased(case: Case, *, now: datetime, details: Mapping[str, str]) -> Case:
    """Everything is erased and the person told; now the case forgets them too."""
    return _without_the_personal(_carried_out(case, Task.ERASE, StepKind.ERASED, now, details))


def _carried_out(
    case: Case, task: Task, step: StepKind, now: datetime, details: Mapping[str, str]
) -> Case:
    _must_owe(case, task)
    return _step(_ended(case), step, now, SYSTEM, details)


# ---- ending, and what happens beside


def refused(case: Case, *, by: str, reason: str, now: datetime) -> Case:
    """Not done, for a reason that the person is told.

    Raises:
        Conflict: it is closed or being carried out.
    """
    _must_be_free(case)
    task = Task.TELL_REFUSED if case.reply_to else Task.NONE
    closed = replace(case, state=CaseState.REFUSED, task=task, refusal=reason)
    return _step(closed, StepKind.REFUSED, now, by)


def finished(case: Case, *, by: str, note_code: str, now: datetime) -> Case:
    """Done, with nothing left to carry out. The person is told, unless staff have answered.

    Nor is somebody who has moved: the address they wrote from is theirs no longer.

    Raises:
        Conflict: it is closed, being carried out, or an erasure or a disclosure that staff
            would call done while it is not.
    """
    _must_be_free(case)
    undone = case.kind is CaseKind.ERASURE or (
        case.kind is CaseKind.DISCLOSURE and case.state is not CaseState.IN_PROGRESS
    )
    if undone:
        raise _conflict("not_carried_out")
    known = has_step(case, StepKind.REPLIED) or has_step(case, StepKind.CORRECTED)
    task = Task.TELL_DONE if case.reply_to and not known else Task.NONE
    closed = replace(case, state=CaseState.DONE, task=task)
    return _step(closed, StepKind.DONE, now, by, {"code": note_code} if note_code else {})


def told(case: Case, *, now: datetime) -> Case:
    """The person knows how it ended."""
    _must_owe(case, *_TELLING)
    return noted(replace(case, task=Task.NONE), by=SYSTEM, now=now, code="told")


def replied(case: Case, *, by: str, now: datetime) -> Case:
    """Staff wrote to the person. That also says that the mail was received.

    Raises:
        Conflict: the person is being erased, which the words would outlive.
    """
    if case.task is Task.ERASE:
        raise _conflict("under_way")
    if case.is_open and case.kind is CaseKind.INQUIRY:
        task = Task.NONE if case.task is Task.ACKNOWLEDGE else case.task
        case = replace(case, state=CaseState.IN_PROGRESS, task=task)
    return _step(case, StepKind.REPLIED, now, by)


def noted(case: Case, *, by: str, now: datetime, code: str = "") -> Case:
    """Something that changes nothing is remembered; the words of a note stand elsewhere."""
    return _step(case, StepKind.NOTED, now, by, {"code": code} if code else {})


def held(case: Case, *, now: datetime, by: str, also: tuple[str, ...] = ()) -> Case:
    """The case keeps the address from mailing, and ``also`` these contacts, until it is decided.

    Raises:
        Conflict: it is closed.
    """
    _must_be_open(case)
    case = replace(case, also=tuple(dict.fromkeys((*case.also, *also)))[:MOST_ALSO])
    return case if case.holds else _step(replace(case, holds=True), StepKind.HELD, now, by)


def released(case: Case, *, now: datetime, by: str) -> Case:
    """The case no longer keeps the address from mailing; also after it is closed."""
    return _step(replace(case, holds=False), StepKind.RELEASED, now, by) if case.holds else case


def warned(case: Case, *, now: datetime) -> Case:
    """Those responsible were warned."""
    return _step(case, StepKind.WARNED, now, SYSTEM)


def overdue(case: Case, *, now: datetime) -> Case:
    """The day promised has passed."""
    return _step(case, StepKind.OVERDUE, now, SYSTEM)


def clock(case: Case, today: date) -> StepKind | None:
    """What the day asks for: ``OVERDUE`` after the day promised, ``WARNED`` on day 10.

    Each once, one at a time.
    """
    if not case.is_open:
        return None
    if today > case.due_on and not has_step(case, StepKind.OVERDUE):
        return StepKind.OVERDUE
    if today >= case.warn_on and not has_step(case, StepKind.WARNED):
        return StepKind.WARNED
    return None


def expired_links(case: Case, now: datetime) -> Case | None:
    """The case once the link it waits for has expired; None where none has. Noted once."""
    purpose = _awaited(case)
    if purpose is None or now < case.links[purpose].expires_at or _noted_expired(case, purpose):
        return None
    if purpose is Purpose.IDENTITY:
        back = replace(case, state=CaseState.RECEIVED)
        return _step(back, StepKind.IDENTITY_EXPIRED, now, SYSTEM)
    return _step(case, StepKind.LINK_EXPIRED, now, SYSTEM, {"purpose": purpose.name.lower()})


def forgotten(case: Case, *, now: datetime) -> Case:
    """The case without anything personal. An open one ends: nobody is left to answer.

    For the other cases of who is erased; nothing forgets a case for its age alone. What holds
    the address still has to be released.
    """
    if case.is_open:
        case = replace(case, state=CaseState.REFUSED, refusal=ERASED_MEANWHILE, task=Task.NONE)
        case = _step(case, StepKind.REFUSED, now, SYSTEM, {"code": ERASED_MEANWHILE})
    return _without_the_personal(case)


def _without_the_personal(case: Case) -> Case:
    """Also without what staff wrote about the person."""
    return replace(
        case,
        reply_to="",
        subject="",
        in_reply_to="",
        new_address="",
        hand_reason="",
        refusal=case.refusal if case.refusal == ERASED_MEANWHILE else "",
        task=Task.NONE,
    )


# ---- links


def _with_link(case: Case, purpose: Purpose, nonce: str, now: datetime, hours: int) -> Case:
    link = LinkState(nonce, now + timedelta(hours=hours))
    return replace(case, links=MappingProxyType({**case.links, purpose.value: link}))


def _with_used_link(case: Case, link: CaseLink, purpose: Purpose, now: datetime) -> Case:
    if link.purpose is not purpose:
        raise _conflict("link_void")
    check_link(case, link, now=now)
    used = replace(case.links[purpose], used_at=now)
    return replace(case, links=MappingProxyType({**case.links, purpose.value: used}))


def _awaited(case: Case) -> Purpose | None:
    """The link that the case waits for the person to use."""
    if not case.is_open or case.task is not Task.NONE:
        return None
    if case.state is CaseState.IDENTITY_ASKED:
        return Purpose.IDENTITY
    purpose = {
        (CaseKind.CORRECTION, CaseState.VERIFIED): Purpose.NEW_ADDRESS,
        (CaseKind.DISCLOSURE, CaseState.IN_PROGRESS): Purpose.DISCLOSURE,
    }.get((case.kind, case.state))
    link = case.links.get(purpose) if purpose is not None else None
    return purpose if link is not None and link.used_at is None else None


def _noted_expired(case: Case, purpose: Purpose) -> bool:
    return any(
        step.kind is StepKind.LINK_EXPIRED
        and step.details["purpose"] == purpose.name.lower()
        and step.at >= case.links[purpose].expires_at
        for step in case.steps
    )


# ---- what is next

NEXT: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "nothing": ("終了しています。", "It is closed."),
        "wait_for_system": (
            "システムが処理しています。しばらくお待ちください。",
            "The system is at work on it. Please wait a little.",
        ),
        "wait_for_person": (
            "ご本人がメールのリンクを開くのを待っています。",
            "Waiting for the person to use the link in the mail.",
        ),
        "ask_identity": (
            "ご本人の確認のリンクを送るか、担当者2人で確認してください。",
            "Have the link to confirm the identity mailed, or verify by hand, two of you.",
        ),
        "verify_by_hand": (
            "メールのリンクでは確認できないため、担当者2人でご本人と確認してください。",
            "A link by mail proves nothing here: verify the person by hand, two of you.",
        ),
        "agree_by_hand": (
            "担当者がご本人と判断しました。別の担当者が確認してください。",
            "Verified by one member of staff: another must agree.",
        ),
        "send_link_again": (
            "リンクの期限が切れました。もう一度送るか、お断りしてください。",
            "The link has expired: have it mailed again, or refuse.",
        ),
        "approve_erasure": (
            "ご本人と確認済みです。ITが削除を承認してください。",
            "The identity is confirmed: IT must approve the erasure.",
        ),
        "enter_new_address": (
            "ご本人と確認済みです。新しいアドレスを登録してください。",
            "The identity is confirmed: enter the new address.",
        ),
        "decide_stop": (
            "配信停止のご希望かどうか、メールを読んで決めてください。それまで配信は保留です。",
            "Read the mail and decide whether it means stop. Until then mailing is on hold.",
        ),
        "find_writer": (
            "差出人がわかりません。メールを読んで、返信方法を決めてください。",
            "The writer is not known: read the mail and decide how to answer.",
        ),
        "answer": ("返信して、完了にしてください。", "Answer, then finish."),
        "finish": (
            "返信済みです。続きがなければ完了にしてください。",
            "Answered. Finish it if nothing more is to come.",
        ),
    }
)


def needs(case: Case, *, own_mailbox: bool = True) -> str:
    """What is next, as a code of ``NEXT``.

    ``own_mailbox``: answers go to the address that the case is about, so that a link mailed
    there proves something.
    """
    if case.task is not Task.NONE:
        return "wait_for_system"
    if not case.is_open:
        return "nothing"
    if case.contact_id == NOBODY:
        return "find_writer"
    if case.kind is CaseKind.INQUIRY:
        return _needed_to_answer(case)
    if case.state in _UNVERIFIED:
        return _needed_to_verify(case, own_mailbox=own_mailbox)
    return _needed_to_carry_out(case)


def _needed_to_answer(case: Case) -> str:
    if case.holds:
        return "decide_stop"
    return "finish" if case.state is CaseState.IN_PROGRESS else "answer"


def _needed_to_verify(case: Case, *, own_mailbox: bool) -> str:
    if case.hand_by:
        return "agree_by_hand"
    if case.state is CaseState.IDENTITY_ASKED:
        return "wait_for_person"
    return "ask_identity" if case.reply_to and own_mailbox else "verify_by_hand"


def _needed_to_carry_out(case: Case) -> str:
    purpose = _awaited(case)
    if purpose is not None:
        return "send_link_again" if _noted_expired(case, purpose) else "wait_for_person"
    if case.state is CaseState.IN_PROGRESS:
        return "decide_stop"  # all else is carried out
    return {
        CaseKind.ERASURE: "approve_erasure",
        CaseKind.DISCLOSURE: "send_link_again",  # it could not be mailed
    }.get(case.kind, "enter_new_address")
