"""The proof file's record and the answer about one recipient, as OpenAPI describes them.

The record is made by ``shared.proof.record``; a test holds that it is what is described here.
"""

from __future__ import annotations

from datetime import date, datetime

from pydantic import Field

from functions.proof_file import FileFormat
from functions.staff_api.schemas import EntryOut, Model
from shared.domain.cases import CaseKind, CaseState, StepKind
from shared.domain.recipient import Finding


class ProofIn(Model):
    """The address the file is about; for an erased person, whose address is held no more."""

    email: str = Field(max_length=1000)
    format: FileFormat = FileFormat.HTML


class RecipientIn(Model):
    """The address asked about."""

    email: str = Field(max_length=1000)


class BothOut(Model):
    """A text in both languages."""

    ja: str
    en: str


class ProofCompanyOut(Model):
    """In whose name mail is sent."""

    name: str
    name_en: str
    address: str
    contact: str


class ProofMadeOut(Model):
    """When the file was made, and by whom."""

    at: datetime
    by: str


class ProofPersonOut(Model):
    """Whom the file is about. After an erasure only the contact id says so.

    ``asked_for`` is the address of the question, masked, where the file was made by address.
    """

    contact_id: str
    address: str
    typed: str
    asked_for: str
    erased_at: datetime | None
    note: BothOut


class ProofMarkOut(Model):
    """The fact an answer rests on."""

    event_id: str
    kind: str
    kind_ja: str
    kind_en: str
    source: str
    at: datetime


class ProofConditionOut(Model):
    """One condition of the eligibility rule, with the sentence to read out."""

    name: str
    name_ja: str
    name_en: str
    met: bool
    reason: str
    clause: str
    sentence_ja: str
    sentence_en: str
    evidence: ProofMarkOut | None


class ProofVerdictOut(Model):
    """May the address receive bulk mail, at the time the file was made."""

    eligible: bool
    reason: str
    profile: str
    conditions: list[ProofConditionOut]


class ProofDetailOut(Model):
    """One detail of an event, or of a request's step."""

    name: str
    name_ja: str
    name_en: str
    value: str
    value_ja: str
    value_en: str


class ProofWordingOut(Model):
    """The exact words that were shown or spoken, and whether they are as they were published."""

    text_id: str
    text_id_ja: str
    text_id_en: str
    version: int
    language: str
    text: str
    sha256: str
    published_on: date | None
    is_as_published: bool


class ProofEventOut(Model):
    """One fact. ``personal`` is empty for what came before an erasure."""

    event_id: str
    kind: str
    kind_ja: str
    kind_en: str
    at: datetime
    consent_at: datetime | None
    source: str
    source_ja: str
    source_en: str
    details: list[ProofDetailOut]
    personal: list[ProofDetailOut]
    wordings: list[ProofWordingOut]


class ProofCampaignOut(Model):
    """What became of the person in one campaign, and why."""

    campaign_id: str
    subject: str
    started_at: datetime | None
    finding: Finding
    finding_ja: str
    finding_en: str
    at: datetime | None
    reason: str
    reason_ja: str
    reason_en: str
    sentence_ja: str
    sentence_en: str
    message_id: str


class ProofStepOut(Model):
    """One step of a request. ``by``: ``person``, ``system`` or a member of staff."""

    at: datetime
    kind: StepKind
    kind_ja: str
    kind_en: str
    by: str
    by_ja: str
    by_en: str
    details: list[ProofDetailOut]


class ProofRequestOut(Model):
    """A request of the person: what was asked, when it was due, and what was done."""

    case_id: str
    kind: CaseKind
    kind_ja: str
    kind_en: str
    state: CaseState
    state_ja: str
    state_en: str
    mailbox: str
    mailbox_ja: str
    mailbox_en: str
    opened_at: datetime
    due_on: date
    legal_on: date | None
    steps: list[ProofStepOut]


class ProofRetentionOut(Model):
    """Until the end of which day in Japan the record must be kept; null while nothing was sent."""

    last_sent_on: date | None
    email_act_until: date | None
    commerce_act_until: date | None
    keep_until: date | None
    note_ja: str
    note_en: str


class ProofOut(Model):
    """The record. The file is its canonical form (RFC 8785): ``sha256sum`` gives its hash."""

    format: str
    about: BothOut
    company: ProofCompanyOut
    made: ProofMadeOut
    person: ProofPersonOut
    verdict: ProofVerdictOut
    events: list[ProofEventOut]
    campaigns: list[ProofCampaignOut]
    requests: list[ProofRequestOut]
    retention: ProofRetentionOut
    verification: BothOut


class RecipientOut(Model):
    """Did this person get this campaign, and why, or why not.

    ``as_of``: the moment of sending; where there was none, the start of the campaign or now.
    ``conditions`` are the rule's as of then, from the facts on record until then.
    """

    campaign_id: str
    contact_id: str
    finding: Finding
    reason: str
    sentence_ja: str
    sentence_en: str
    entry: EntryOut | None
    as_of: datetime | None
    conditions: list[ProofConditionOut]
