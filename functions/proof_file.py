"""The proof file of one contact, gathered from every store: as bytes and as a page.

Staff make it (``staff_api.proof``); the person who asked what is held fetches it
(``case_link``), and gets what they wrote and were answered too. The headers are the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple, Protocol

from shared.adapters.campaigns import CampaignStore
from shared.adapters.cases import CaseMail, CaseStore
from shared.adapters.contacts import ContactStore
from shared.adapters.figures import Figures
from shared.adapters.ledger import Ledger
from shared.adapters.received import ReceivedStore
from shared.domain.cases import Case
from shared.domain.company import Company
from shared.domain.contact import Contact
from shared.domain.eligibility import Profile
from shared.domain.events import Event, EventKind
from shared.proof.canonical import canonical_json, sha256
from shared.proof.correspondence import Arrival, Correspondence, Earlier, Letter
from shared.proof.page import proof_page
from shared.proof.record import Facts, proof_record
from shared.proof.spelling import Record
from shared.proof.strings import DIRECTIONS


class FileFormat(StrEnum):
    """The record itself, or a page for people."""

    JSON = "json"
    HTML = "html"


class Rules(Protocol):
    """The settings a proof file rests on."""

    @property
    def company(self) -> Company:
        """In whose name it is made."""

    @property
    def eligibility_profile(self) -> Profile:
        """By which rule the verdict is."""


class Stores(Protocol):
    """Whatever holds the stores and settings: a handler's dependencies."""

    @property
    def settings(self) -> Rules:
        """The rules."""

    @property
    def contacts(self) -> ContactStore:
        """The contact's events."""

    @property
    def campaigns(self) -> CampaignStore:
        """Every campaign."""

    @property
    def ledger(self) -> Ledger:
        """Who was sent what."""

    @property
    def figures(self) -> Figures:
        """What the mail service reported."""

    @property
    def cases(self) -> CaseStore:
        """The person's requests."""


class MailStores(Stores, Protocol):
    """And those that hold mails."""

    @property
    def received(self) -> ReceivedStore:
        """What came in."""


class Served(NamedTuple):
    """What an HTTP answer with the file consists of."""

    content_type: str
    body: str
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class ProofFile:
    """A file: ``text`` is the record's one spelling, ``sha256`` its hash."""

    record: Record
    text: str
    sha256: str

    def served(self, kind: FileFormat) -> Served:
        """As an attachment without anything personal in its name, kept by nobody on the way."""
        headers = {
            "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "no-referrer",
            "Content-Disposition": f'attachment; filename="optin-proof-{self.sha256[:16]}.{kind}"',
        }
        if kind is FileFormat.JSON:
            return Served("application/json", self.text, headers)
        page = proof_page(self.record)
        headers["Content-Security-Policy"] = f"{page.policy}; frame-ancestors 'none'"
        return Served("text/html; charset=utf-8", page.html, headers)


def proof_file(
    stores: Stores,
    contact: Contact,
    *,
    made_at: datetime,
    made_by: str,
    asked_for: str = "",
    newest: Case | None = None,
    correspondence: Correspondence | None = None,
) -> ProofFile:
    """Everything on record about a contact. ``asked_for``: the address in question, masked.

    ``newest`` is one of the contact's requests as it is just being saved. ``correspondence`` is
    for the person alone.

    Raises:
        Unavailable: a store could not be asked.
    """
    contact_id = contact.contact_id
    campaigns = stores.campaigns.all()
    entries = list(stores.ledger.of_contact(contact_id, [c.campaign_id for c in campaigns]))
    requests = {case.case_id: case for case in stores.cases.of_contact(contact_id)}
    if newest is not None:
        requests[newest.case_id] = newest
    record = proof_record(
        Facts(
            company=stores.settings.company,
            contact=contact,
            history=stores.contacts.history(contact_id),
            campaigns=campaigns,
            entries=entries,
            cases=[*requests.values()],
            reported={
                entry.campaign_id: fates
                for entry, fates in zip(entries, stores.figures.fates(entries), strict=True)
            },
            profile=stores.settings.eligibility_profile,
            made_at=made_at,
            made_by=made_by,
            asked_for=asked_for,
            correspondence=correspondence,
        )
    )
    text = canonical_json(record)
    return ProofFile(record, text, sha256(text))


def correspondence_of(stores: MailStores, contact_id: str) -> Correspondence:
    """What a person wrote and was answered, also by the addresses they moved here from.

    Of an earlier address nothing since the move: it may be somebody else's by now.

    Raises:
        Unavailable: a store could not be asked.
    """
    letters: list[Letter] = []
    arrivals: list[Arrival] = []
    earlier: list[Earlier] = []
    for each, until, history in _addresses(stores, contact_id):
        if until is not None:
            earlier.append(Earlier(each, history))
        for case in stores.cases.of_contact(each):
            letters += (
                _letter(case, mail)
                for mail in stores.cases.mails(case.case_id)
                if mail.direction in DIRECTIONS and _is_before(mail.received_at, until)
            )
        arrivals += (
            Arrival(line.received_at, line.mailbox or "", line.outcome)
            for line in stores.received.of_contact(each)
            if not line.case_id and _is_before(line.received_at, until)
        )
    return Correspondence(letters, arrivals, earlier)


def _addresses(
    stores: Stores, contact_id: str
) -> Iterator[tuple[str, datetime | None, list[Event]]]:
    """The contact and those before it: until when each was theirs, and its history until then."""
    left: list[tuple[str, datetime | None]] = [(contact_id, None)]
    seen = {contact_id}
    while left:
        each, until = left.pop()
        history = [e for e in stores.contacts.history(each) if _is_before(e.at, until)]
        yield each, until, history
        for event in history:
            before = event.details.get("from", "") if event.kind is EventKind.MOVED else ""
            if before and before not in seen:
                seen.add(before)
                left.append((before, event.at))


def _is_before(at: datetime, until: datetime | None) -> bool:
    return until is None or at <= until


def _letter(case: Case, mail: CaseMail) -> Letter:
    return Letter(
        case_id=case.case_id,
        at=mail.received_at,
        direction=mail.direction,
        by=mail.by,
        subject=mail.subject,
        words=mail.words,
        attachments=mail.attachments,
    )
