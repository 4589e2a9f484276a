"""Requests (cases) and mail that came in, as OpenAPI describes them (manual R1)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from enum import StrEnum
from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Path, Query
from pydantic import Field

from functions.staff_api.proof_schemas import ProofStepOut
from functions.staff_api.schemas import Model, NoteOut, RequestLineOut, VerdictOut
from shared.adapters.cases import LONGEST_WORDS, CaseMail
from shared.adapters.received import Line
from shared.domain.cases import Case, CaseKind, LinkState
from shared.domain.eligibility import Verdict
from shared.domain.inbound import Mailbox
from shared.domain.links import Purpose
from shared.domain.reception import REASONS, Outcome
from shared.proof.record import step_record
from shared.texts.consent import Language

RequestPath = Annotated[str, Path(pattern=r"^[0-9a-f]{32}$")]
MailPath = Annotated[str, Path(pattern=r"^[0-9a-f]{24,64}$")]
Limit = Annotated[int, Query(ge=1, le=100)]
After = Annotated[str, Query(pattern=r"^[A-Za-z0-9_-]{0,300}$")]

# A request that staff opened has no words of its own to be judged by.
BY_STAFF = "by_staff"
_BY_STAFF = ("担当者が受け付けました。", "Taken by a member of staff.")
_WHY: Mapping[str, tuple[str, str]] = {**REASONS, BY_STAFF: _BY_STAFF}
_SOME = r"\S"
_MOST_WORDS = 500_000  # characters of all mails of a request: an answer has to stay under 6 MB


class RequestState(StrEnum):
    """Which requests a list shows."""

    OPEN = "open"
    CLOSED = "closed"


class RequestsPage(Model):
    """Some requests; ``next`` is where to go on, empty at the end."""

    requests: list[RequestLineOut]
    next: str


class Direction(StrEnum):
    """Who wrote to whom."""

    IN = "in"
    OUT = "out"  # staff to the person
    NOTE = "note"  # staff to each other


class RequestMailOut(Model):
    """A mail of the person, an answer of staff, or a note.

    ``by``: who of staff wrote it, or wrote down what was said. ``unread``: what of the message
    could not be read.
    """

    mail_id: str
    received_at: datetime
    direction: Direction
    by: str
    subject: str
    words: str
    attachments: int
    unread: list[str]

    @staticmethod
    def of(mail: CaseMail) -> RequestMailOut:
        """From the store."""
        return RequestMailOut(
            mail_id=mail.mail_id,
            received_at=mail.received_at,
            direction=Direction(mail.direction),
            by=mail.by,
            subject=mail.subject,
            words=mail.words,
            attachments=mail.attachments,
            unread=list(mail.unread),
        )


class RequestLinkOut(Model):
    """The link of one purpose that counts now; the link itself is the person's alone."""

    expires_at: datetime
    used_at: datetime | None

    @staticmethod
    def of(link: LinkState) -> RequestLinkOut:
        """From the domain."""
        return RequestLinkOut(expires_at=link.expires_at, used_at=link.used_at)


class RequestOut(RequestLineOut):
    """A request with everything about it.

    ``address`` is where answers go; it is empty once the person is erased. ``why``: what made
    it this kind, with ``confidence`` in percent. ``links`` by purpose: identity, disclosure,
    new_address. ``verdict``: may the person get campaigns now;
    null where nobody knows who wrote. ``contact_known``: there is something to see about the
    contact beside the request.
    """

    address: str
    subject: str
    why: NoteOut
    confidence: int
    links: dict[str, RequestLinkOut]
    hand_by: str
    hand_reason: str
    new_address: str
    approved_by: str
    refusal: str
    steps: list[ProofStepOut]
    mails: list[RequestMailOut]
    verdict: VerdictOut | None
    contact_known: bool

    @staticmethod
    def full(
        case: Case,
        mails: Sequence[CaseMail],
        verdict: Verdict | None,
        *,
        today: date,
        own_mailbox: bool,
        contact_known: bool,
    ) -> RequestOut:
        """From the domain and the store. Of very many words the last are left out."""
        shown, room = [], _MOST_WORDS
        for mail in mails:
            cut = len(mail.words) > room
            unread = (*mail.unread, "text_cut") if cut else mail.unread
            shown.append(RequestMailOut.of(replace(mail, words=mail.words[:room], unread=unread)))
            room = max(0, room - len(mail.words))
        return RequestOut(
            **RequestLineOut.of(case, today, own_mailbox=own_mailbox).model_dump(),
            address=case.reply_to,
            subject=case.subject,
            why=why(case.reason),
            confidence=case.confidence,
            links={
                Purpose(name).name.lower(): RequestLinkOut.of(link)
                for name, link in case.links.items()
            },
            hand_by=case.hand_by,
            hand_reason=case.hand_reason,
            new_address=case.new_address,
            approved_by=case.approved_by,
            refusal=case.refusal,
            steps=[ProofStepOut.model_validate(step_record(step)) for step in case.steps],
            mails=shown,
            verdict=VerdictOut.of(verdict) if verdict else None,
            contact_known=contact_known,
        )


def why(code: str) -> NoteOut:
    """A reason with its sentences; the code itself where it has none."""
    ja, en = _WHY.get(code, (code, code))
    return NoteOut(code=code, ja=ja, en=en)


class RequestIn(Model):
    """A request that a person made on the phone or in person.

    ``email`` is whom it is about. Its mailbox is asked to confirm, unless ``answer_to`` names
    another, for somebody who lost theirs and for agents: then two members of staff verify.
    """

    kind: CaseKind
    email: str = Field(max_length=1000)
    words: str = Field(min_length=1, max_length=LONGEST_WORDS, pattern=_SOME)
    language: Language = Language.JA
    answer_to: str | None = Field(default=None, max_length=1000)


class ChangeIn(Model):
    """A change of a request. ``version``: of the request as it was looked at."""

    version: int = Field(ge=0)


class KindIn(ChangeIn):
    """What it really is about."""

    kind: CaseKind


class VerifyIn(ChangeIn):
    """How it is known that this is the person, or who may speak for them."""

    reason: str = Field(min_length=1, max_length=500, pattern=_SOME)


class NewAddressIn(ChangeIn):
    """The address to move to; it is asked to confirm too."""

    email: str = Field(max_length=1000)


class RefuseIn(ChangeIn):
    """Why not, in words that the person is told."""

    reason: str = Field(min_length=1, max_length=2000, pattern=_SOME)


class FinishIn(ChangeIn):
    """Whether the person wanted no more mail: to be said where mailing was held for it."""

    unsubscribe: bool | None = None


class TextIn(ChangeIn):
    """Words of staff: an answer to the person, or a note to colleagues."""

    text: str = Field(min_length=1, max_length=LONGEST_WORDS, pattern=_SOME)


class RawMailOut(Model):
    """A link by which the message as it came can be fetched for a few minutes."""

    url: str
    expires_at: datetime


class ReceivedOut(Model):
    """A mail that nobody answered, and why; whose it was stands in the message only."""

    mail_id: str
    received_at: datetime
    mailbox: Mailbox | None
    outcome: Outcome
    why: NoteOut
    contact_id: str
    readable: bool

    @staticmethod
    def of(line: Line) -> ReceivedOut:
        """From the store. Not ``readable``: the message was erased."""
        return ReceivedOut(
            mail_id=line.mail_id,
            received_at=line.received_at,
            mailbox=line.mailbox,
            outcome=Outcome(line.outcome),
            why=why(line.reason),
            contact_id=line.contact_id,
            readable=not line.erased,
        )


class ReceivedPage(Model):
    """Some of them, the newest first; ``next`` is where to go on, empty at the end."""

    mails: list[ReceivedOut]
    next: str


class OpenIn(Model):
    """What the mail asks for."""

    kind: CaseKind = CaseKind.INQUIRY
