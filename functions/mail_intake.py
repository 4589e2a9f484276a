"""Takes in mail that came to optin@, reply@ or stop@ (manual R1, S2).

For each mail: a line is written, what it means is decided (``reception``), that is done, the
line is finished with the outcome. Ids of what is done derive from the mail, so a second
delivery, or a crash and another try, ends in the same. No mail is sent here: what the system
owes goes to the case worker.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from typing import Any

from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse

from functions.queue import worked_through
from functions.soft_bounces import hold_if_repeated
from shared.adapters import aws
from shared.adapters.cases import CaseMail, CaseStore
from shared.adapters.contacts import ContactStore
from shared.adapters.jobs import CaseJob, JobQueue
from shared.adapters.rawmail import RawMail
from shared.adapters.received import Line, ReceivedStore
from shared.adapters.secrets import Secrets
from shared.domain import cases, feedback, holds
from shared.domain.address import AddressError, contact_id, parse_address
from shared.domain.calendar import BusinessCalendar, Terms, japan_date
from shared.domain.cases import Case, CaseKind, Task
from shared.domain.eligibility import EU
from shared.domain.errors import BadRequest, Conflict, NotFound, Unavailable
from shared.domain.events import Event, EventKind, Source, event_id, parse_stamp
from shared.domain.feedback import Notice, NoticeKind
from shared.domain.inbound import (
    Mailbox,
    Receipt,
    ReceivedMail,
    Report,
    ReportKind,
    Verdict,
    Verdicts,
)
from shared.domain.links import NOBODY, Link, UnknownKey, verify
from shared.domain.reception import Known, Outcome, Reception, decide, is_vouched, mailbox_of
from shared.domain.wishes import cites_gdpr, understand
from shared.inbox import read
from shared.settings import MailIntakeSettings, load
from shared.telemetry import count, logger

_MOST_BYTES = 12_000_000  # of a message; SES delivers up to 40 MB, the rest is attachments
_TRIES = 5


@dataclass(frozen=True)
class Deps:
    """What the handler works with."""

    settings: MailIntakeSettings
    contacts: ContactStore
    cases: CaseStore
    received: ReceivedStore
    rawmail: RawMail
    jobs: JobQueue
    secrets: Secrets


@cache
def _deps() -> Deps:
    settings = load(MailIntakeSettings, os.environ)
    dynamodb = aws.dynamodb()
    return Deps(
        settings,
        ContactStore(dynamodb, settings.contacts_table, settings.events_table),
        CaseStore(dynamodb, settings.cases_table),
        ReceivedStore(dynamodb, settings.received_table, timedelta(days=settings.received_days)),
        RawMail(aws.s3(), settings.inbound_bucket),
        JobQueue(aws.sqs(), settings.case_queue_url),
        Secrets(aws.secretsmanager()),
    )


@logger.inject_lambda_context
def handler(
    event: dict[str, Any], context: Any, deps: Deps | None = None
) -> PartialItemFailureResponse:
    """Take in the mails of some queue messages; one that fails comes again, then dead-letters."""
    ready = deps or _deps()
    return worked_through(event, context, lambda body: _take_in(ready, receipt_of(body)))


def receipt_of(body: str) -> Receipt:
    """What SES says about the delivery, from its notification by SNS and SQS.

    Raises:
        BadRequest: it is no such notification (it will end in the dead-letter queue).
    """
    try:
        notification = json.loads(json.loads(body)["Message"])
        mail, receipt = notification["mail"], notification["receipt"]
        return Receipt(
            object_key=str(receipt["action"]["objectKey"]),
            received_at=parse_stamp(str(receipt["timestamp"])),
            recipients=tuple(map(str, receipt["recipients"])),
            envelope_sender=str(mail.get("source") or "").strip("<>"),
            verdicts=Verdicts(
                **{
                    name: _verdict(receipt.get(f"{name}Verdict"))
                    for name in ("spam", "virus", "spf", "dkim", "dmarc")
                }
            ),
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        raise BadRequest("bad_notification", "メール受信の通知を読み取れません。") from None


def _verdict(said: Mapping[str, Any] | None) -> Verdict:
    status = str((said or {}).get("status", ""))
    # PROCESSING_FAILED, DISABLED and whatever may come: nothing was found out.
    return Verdict(status) if status in set(Verdict) else Verdict.NONE


def _take_in(deps: Deps, receipt: Receipt) -> None:
    try:
        raw, complete = deps.rawmail.read(receipt.object_key, _MOST_BYTES)
    except NotFound:
        if deps.received.is_erased(receipt.object_key):
            logger.info("erased since")
            return
        raise
    mail = read(raw, complete=complete)
    known = _known(deps, mail, receipt)
    line = deps.received.begin(
        mail.mail_id,
        receipt.object_key,
        receipt.received_at,
        contact_id=_writer(known),
        mailbox=mailbox_of(receipt),
    )
    # Whoever was erased since: by now the tombstone is to be seen here, or the line by the erasure.
    gone = line.erased or deps.contacts.get(line.contact_id).erased_since(line.received_at)
    if gone:
        deps.rawmail.delete([receipt.object_key])
        deps.received.erase([line])
    reception = decide(
        mail,
        receipt,
        known,
        understand(mail.subject, mail.words),
        mail_domain=deps.settings.mail_domain,
    )
    decided = _Decided(deps, mail, line, known, reception, is_vouched(receipt, known))
    if line.outcome:
        # Whatever was done of it at another mailbox, a token in the address stops at once.
        if known.token is not None:
            decided.carry_out(gone=True)
        logger.info("known already", extra={"mail_id": line.mail_id})
        return
    case_id = decided.carry_out(gone=gone)
    deps.received.finish(
        line,
        outcome=reception.outcome,
        reason=reception.reason,
        filtered=reception.outcome is Outcome.FILTERED and not gone,
        case_id=case_id,
        also_about=_people(known),
    )
    count(f"Mail_{reception.outcome}")
    logger.info(
        "taken in",
        extra={
            "mail_id": line.mail_id,
            "outcome": reception.outcome,
            "reason": reception.reason,
            "contact_id": line.contact_id,
            "case_id": case_id,
            "unread": mail.unread,
            "erased": gone,
        },
    )


# --- who


def _known(deps: Deps, mail: ReceivedMail, receipt: Receipt) -> Known:
    tokens = [*mail.tokens, *(mail.report.tokens if mail.report else ())]
    return Known(
        contact_id=_id_of(deps, mail.sender),
        token=next(_links(deps, _tokens_of(deps, receipt)), None),
        quoted=tuple(dict.fromkeys(_links(deps, tokens))),
    )


def _id_of(deps: Deps, sender: str) -> str:
    try:
        address = parse_address(sender)
    except AddressError:
        return NOBODY
    return contact_id(address.lookup, deps.secrets.contact_key(deps.settings.contact_key_secret))


def _links(deps: Deps, tokens: Iterable[str]) -> Iterator[Link]:
    """What the genuine ones among these say."""
    secret = deps.settings.link_keys_secret
    for token in tokens:
        try:
            try:
                yield verify(token, deps.secrets.link_keys(secret))
            except UnknownKey:
                # A key may have been added since this process read them.
                yield verify(token, deps.secrets.link_keys(secret, fresh=True))
        except NotFound:
            continue


def _tokens_of(deps: Deps, receipt: Receipt) -> Iterator[str]:
    """What stands after the plus where it came to ``stop+…``."""
    for recipient in receipt.recipients:
        local, _, domain = recipient.rpartition("@")
        name, _, token = local.partition("+")
        if domain.lower() == deps.settings.mail_domain and name.lower() == Mailbox.STOP and token:
            yield token


def _people(known: Known) -> list[str]:
    """Whom a mail concerns, beside its writer."""
    links = [*([known.token] if known.token else []), *known.quoted]
    return [link.contact_id for link in links if link.contact_id != NOBODY]


def _writer(known: Known) -> str:
    """Under whom it is kept: the sender, or whom it is about where no sender can be read."""
    return next((each for each in [known.contact_id, *_people(known)] if each != NOBODY), NOBODY)


# --- what follows


@dataclass(frozen=True)
class _Decided:
    """One mail, and what was decided about it."""

    deps: Deps
    mail: ReceivedMail
    line: Line
    known: Known
    reception: Reception
    vouched: bool

    def carry_out(self, *, gone: bool) -> str:
        """Do it. The case the mail belongs to, if any.

        ``gone``: its writer was erased since, so nothing of the mail is kept and nobody is
        answered; a stop, which may be another's, still counts.
        """
        reception = self.reception
        for link in reception.stops:
            self.deps.contacts.record(self._stop(link))
        if reception.outcome is Outcome.FEEDBACK and self.mail.report is not None:
            self._note_report(self.mail.report)
        if gone:
            return ""
        if reception.kind is not None:
            return self._open(reception.kind).case_id
        if reception.answer:
            self._have_answered()
        return ""

    def _stop(self, link: Link) -> Event:
        details = {"mail_id": self.line.mail_id}
        if link.campaign_id:
            details["campaign_id"] = link.campaign_id
        return Event(
            contact_id=link.contact_id,
            event_id=event_id(self.line.mail_id, EventKind.UNSUBSCRIBED, link.contact_id),
            kind=EventKind.UNSUBSCRIBED,
            at=self.line.received_at,
            source=Source.REPLY,
            details=details,
        )

    def _have_answered(self) -> None:
        """The sender, who was stopped, is told so."""
        job = CaseJob(
            answer="stopped",
            contact_id=self.known.contact_id,
            mail_id=self.line.mail_id,
            in_reply_to=self.mail.message_id,
            language=self.mail.language,
            day=japan_date(self.line.received_at).isoformat(),
        )
        self.deps.jobs.put([job])

    def _note_report(self, report: Report) -> None:
        """The same facts as if SES had told them, about whom the returned message went to."""
        kind, type_ = _NOTICE_OF[report.kind]
        said = feedback.Recipient(report.recipient, report.status, report.diagnostic)
        for link in self.reception.about:
            notice = Notice(
                kind=kind,
                message_id=self.line.mail_id,
                at=self.line.received_at,
                recipients=(said,),
                type=type_,
                campaign_id=link.campaign_id,
                contact_id=link.contact_id,
            )
            for fact in feedback.facts_of(notice, [(link.contact_id, said)]):
                self._record(fact)

    def _record(self, fact: Event) -> None:
        """The fact, and the hold that may follow from several."""
        contacts, settings = self.deps.contacts, self.deps.settings
        contacts.record(fact)
        count(f"Feedback_{fact.kind}")
        hold_if_repeated(
            contacts, fact, bounces=settings.soft_bounces, days=settings.soft_bounce_days
        )

    def _open(self, kind: CaseKind) -> Case:
        """A new case, or one more mail of an open one; the hold; and the worker is told."""
        mail, line, reception = self.mail, self.line, self.reception
        words = CaseMail(
            mail_id=line.mail_id,
            received_at=line.received_at,
            words=mail.words,
            subject=mail.subject,
            attachments=mail.attachments,
            unread=mail.unread,
        )
        case = self.deps.cases.create(self._new(kind), words)
        if reception.holds:
            case = self._hold(case)
        if case.task is not Task.NONE or not case.is_open:
            self.deps.jobs.put([CaseJob(case.case_id)])
        return case

    def _new(self, kind: CaseKind) -> Case:
        mail, line, contact = self.mail, self.line, self.known.contact_id
        settings, is_known = self.deps.settings, contact != NOBODY
        return cases.opened(
            case_id=hashlib.sha256(f"case\x1f{line.mail_id}".encode()).hexdigest()[:32],
            kind=kind,
            contact_id=contact,
            language=mail.language,
            mailbox=line.mailbox,
            now=line.received_at,
            calendar=BusinessCalendar(settings.days_off),
            terms=Terms(settings.case_business_days),
            region=self._region(),
            reason=self.reception.reason,
            confidence=self.reception.confidence,
            task=self.reception.task,
            holds=self.reception.holds,
            also=self.reception.also,
            vouched=self.vouched,
            # As it was understood: a link must not go to a spelling that means somebody else.
            reply_to=parse_address(mail.sender).used if is_known else "",
            subject=mail.subject,
            in_reply_to=mail.message_id,
        )

    def _region(self) -> str:
        """Where the writer is known to live, or says that GDPR applies to them."""
        contact = self.known.contact_id
        if cites_gdpr(self.mail.subject, self.mail.words):
            return EU
        return self.deps.contacts.get(contact).region if contact != NOBODY else ""

    def _hold(self, case: Case) -> Case:
        """Keep the address, and whom the mail's links name, from mailing while the case is open.

        Who closed the case meanwhile may have seen no hold: the worker, told of a closed case,
        takes it away.
        """
        store, contacts, at = self.deps.cases, self.deps.contacts, self.line.received_at
        also = self.reception.also
        for _ in range(_TRIES):
            if not case.is_open:
                break
            held = cases.held(case, now=at, by=cases.SYSTEM, also=also)
            if held == case:
                break
            try:
                case = store.save(case, held)
            except Conflict:
                case = store.get(case.case_id)
        else:
            raise Unavailable("cases:contention")
        for each in case.whom:
            # One more of many mails need not be on record as one more hold.
            if case.case_id not in contacts.get(each).holds:
                contacts.record(holds.held(each, case.case_id, at, Source.REPLY))
        return store.get(case.case_id)


_NOTICE_OF = {
    ReportKind.BOUNCE: (NoticeKind.BOUNCE, "Permanent"),
    ReportKind.SOFT_BOUNCE: (NoticeKind.BOUNCE, "Transient"),
    ReportKind.COMPLAINT: (NoticeKind.COMPLAINT, "abuse"),
}
