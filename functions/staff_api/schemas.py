"""What the staff API takes and gives, as OpenAPI describes it."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Path
from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from shared.domain.address import AddressError, parse_address
from shared.domain.audience import Audience
from shared.domain.campaigns import Campaign, CampaignStatus, Entry, Outcome, PauseReason
from shared.domain.cases import NEXT, TEAM_OF, Case, CaseKind, CaseState, Task, needs
from shared.domain.contact import Contact, Mark, Register
from shared.domain.eligibility import Condition, Verdict
from shared.domain.events import Event, EventKind, Source
from shared.domain.figures import Progress
from shared.domain.forms import ExtraField, Form, FormKind
from shared.domain.inbound import Mailbox
from shared.domain.lifecycle import content_hash
from shared.domain.teams import Team
from shared.domain.zones import in_tokyo
from shared.mail.lint import Finding, Severity
from shared.texts import consent
from shared.texts.consent import Language, TextId

ContactId = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
EventId = Annotated[str, Field(pattern=r"^[0-9a-f]{24}$")]
ContactPath = Annotated[str, Path(pattern=r"^[0-9a-f]{32}$")]
CampaignPath = Annotated[str, Path(pattern=r"^[0-9a-f]{12}$")]


class Model(BaseModel):
    """Unknown members are refused: a misspelt one is an error, not a silent default."""

    model_config = ConfigDict(extra="forbid")


class NoteOut(Model):
    """A sentence for people, and its code."""

    code: str
    ja: str
    en: str


class LookupIn(Model):
    """An address to look up. In the body, so that it stands in no log of addresses called."""

    email: str = Field(max_length=1000)


class MarkOut(Model):
    """The fact an answer rests on."""

    event_id: str
    kind: EventKind
    source: Source
    at: datetime

    @staticmethod
    def of(mark: Mark) -> MarkOut:
        """From the domain."""
        return MarkOut(event_id=mark.event_id, kind=mark.kind, source=mark.source, at=mark.at)


class ConditionOut(Model):
    """One condition of the eligibility rule, with the sentence to read out."""

    name: str
    met: bool
    reason: str
    clause: str
    sentence_ja: str
    sentence_en: str
    evidence: MarkOut | None

    @staticmethod
    def of(condition: Condition) -> ConditionOut:
        """From the domain."""
        return ConditionOut(
            name=condition.name,
            met=condition.met,
            reason=condition.reason,
            clause=condition.clause,
            sentence_ja=condition.ja,
            sentence_en=condition.en,
            evidence=MarkOut.of(condition.evidence) if condition.evidence else None,
        )


class VerdictOut(Model):
    """May the address receive bulk mail now, and why or why not."""

    eligible: bool
    reason: str
    profile: str
    conditions: list[ConditionOut]

    @staticmethod
    def of(verdict: Verdict) -> VerdictOut:
        """From the domain."""
        return VerdictOut(
            eligible=verdict.eligible,
            reason=verdict.reason,
            profile=verdict.profile,
            conditions=[ConditionOut.of(condition) for condition in verdict.conditions],
        )


class WordingOut(Model):
    """The exact words that were shown or spoken."""

    text_id: TextId
    version: int
    language: Language
    text: str
    sha256: str


class EventOut(Model):
    """One fact of a contact's history."""

    event_id: str
    kind: EventKind
    at: datetime
    source: Source
    details: dict[str, str]
    personal: dict[str, str]
    wording: WordingOut | None
    consent_at: datetime | None

    @staticmethod
    def of(event: Event) -> EventOut:
        """From the domain."""
        wording = event.wording
        return EventOut(
            event_id=event.event_id,
            kind=event.kind,
            at=event.at,
            source=event.source,
            details=dict(event.details),
            personal=dict(event.personal),
            wording=WordingOut(
                text_id=wording.text_id,
                version=wording.version,
                language=wording.language,
                text=wording.text,
                sha256=wording.sha256,
            )
            if wording
            else None,
            consent_at=event.consent_at,
        )


class EntryOut(Model):
    """What became of a contact in one campaign."""

    campaign_id: str
    outcome: Outcome
    reason: str
    at: datetime
    message_id: str

    @staticmethod
    def of(entry: Entry) -> EntryOut:
        """From the domain."""
        return EntryOut(
            campaign_id=entry.campaign_id,
            outcome=entry.outcome,
            reason=entry.reason,
            at=entry.at,
            message_id=entry.message_id,
        )


class RequestLineOut(Model):
    """A request (case) as lists show it: whose it is stands there only masked.

    ``due_on`` is the day promised, ``legal_on`` GDPR's where it applies. ``task``: what the
    system owes next. ``next``: what staff have to do or to wait for. ``holds``: the address is
    kept from mailing meanwhile.
    """

    case_id: str
    kind: CaseKind
    state: CaseState
    team: Team
    contact_id: str
    writer: str
    language: Language
    mailbox: Mailbox | None
    opened_at: datetime
    due_on: date
    legal_on: date | None
    overdue: bool
    task: Task
    next: NoteOut
    holds: bool
    version: int

    @staticmethod
    def of(case: Case, today: date, *, own_mailbox: bool) -> RequestLineOut:
        """From the domain."""
        step = needs(case, own_mailbox=own_mailbox)
        ja, en = NEXT[step]
        return RequestLineOut(
            case_id=case.case_id,
            kind=case.kind,
            state=case.state,
            team=TEAM_OF[case.kind],
            contact_id=case.contact_id,
            writer=masked(case.reply_to),
            language=case.language,
            mailbox=case.mailbox,
            opened_at=case.opened_at,
            due_on=case.due_on,
            legal_on=case.legal_on,
            overdue=case.is_open and today > case.due_on,
            task=case.task,
            next=NoteOut(code=step, ja=ja, en=en),
            holds=case.holds,
            version=case.version,
        )


class ContactOut(Model):
    """Everything held about a contact, with the explained verdict."""

    contact_id: str
    address: str
    typed: str
    address_kind: str
    verdict: VerdictOut
    history: list[EventOut]
    campaigns: list[EntryOut]
    requests: list[RequestLineOut]


class PendingOut(Model):
    """One opt-in that waits for an advisor."""

    contact_id: str
    submission_id: str
    address: str
    form_id: str
    municipality: str
    opted_in_at: datetime

    @staticmethod
    def of(contact: Contact) -> PendingOut | None:
        """From the domain; None where the index is behind the contact."""
        mark = contact.get(Register.OPTED_IN)
        if mark is None or not contact.is_pending:
            return None
        return PendingOut(
            contact_id=contact.contact_id,
            submission_id=mark.event_id,
            address=contact.address,
            form_id=mark.values.get("form_id", ""),
            municipality=mark.values.get("municipality", ""),
            opted_in_at=mark.at,
        )


class PendingPage(Model):
    """Some of the waiting opt-ins, the longest waiting first."""

    registrations: list[PendingOut]
    next: str


class RegistrationIn(Model):
    """Confirm this submission's opt-in."""

    contact_id: ContactId
    submission_id: EventId


class RegistrationOut(Model):
    """The registration, and what it means for the address now."""

    contact_id: str
    submission_id: str
    event_id: str
    confirmed_by: str
    confirmed_at: datetime
    verdict: VerdictOut


class Channel(StrEnum):
    """How the person told us to stop."""

    PHONE = "phone"
    IN_PERSON = "in_person"
    REPLY = "reply"
    STAFF = "staff"


class UnsubscriptionIn(Model):
    """Stop mail to an address, given itself or by its contact id."""

    email: str | None = Field(default=None, max_length=1000)
    contact_id: ContactId | None = None
    reason: str = Field(min_length=1, max_length=200)
    channel: Channel = Channel.STAFF

    @model_validator(mode="after")
    def _one_of_two(self) -> UnsubscriptionIn:
        if (self.email is None) == (self.contact_id is None):
            raise ValueError("give either email or contact_id")
        return self


class UnsubscriptionOut(Model):
    """The refusal as recorded; effective from the moment of this answer."""

    contact_id: str
    event_id: str
    at: datetime


class LiftBounceIn(Model):
    """Why mail to this address is tried again."""

    reason: str = Field(min_length=1, max_length=200, pattern=r"\S")


class BounceLiftedOut(Model):
    """What was lifted, and what it means for the address now."""

    contact_id: str
    lifted: list[EventKind]
    at: datetime
    verdict: VerdictOut


class Region(StrEnum):
    """As far as it matters: whether GDPR (or UK GDPR) applies."""

    EU = "EU"  # EU, EEA and UK
    OTHER = "other"


class ResidenceIn(Model):
    """Where the person lives, as they or their papers say."""

    region: Region


class ResidenceOut(Model):
    """What was recorded, which open requests have other days now, and what it means for mail."""

    contact_id: str
    region: Region
    at: datetime
    requests: list[str]
    verdict: VerdictOut


class ExtraFieldModel(Model):
    """A further field of a form."""

    name: str
    label_ja: str
    label_en: str = ""
    required: bool = False
    max_length: int = 200


class FormBody(Model):
    """A form's definition without its id. Versions default to the newest published wording."""

    kind: FormKind
    title_ja: str
    title_en: str
    municipality: str = ""
    consent_version: int | None = None
    purpose_version: int | None = None
    allowed_origins: list[str] = []
    thanks_url: str = ""
    fields: list[ExtraFieldModel] = []

    def form(self, form_id: str) -> Form:
        """As a domain value, not yet checked."""
        wording = TextId.OPTIN_CHECKBOX if self.kind is FormKind.MUNICIPAL_LP else TextId.NOTICE
        purpose = consent.current(TextId.PURPOSE_OF_USE).version
        return Form(
            form_id=form_id,
            kind=self.kind,
            title_ja=self.title_ja,
            title_en=self.title_en,
            municipality=self.municipality,
            consent_version=_or(self.consent_version, consent.current(wording).version),
            purpose_version=_or(self.purpose_version, purpose),
            allowed_origins=tuple(self.allowed_origins),
            thanks_url=self.thanks_url,
            fields=tuple(ExtraField(**extra.model_dump()) for extra in self.fields),
        )


class FormIn(FormBody):
    """A new form."""

    form_id: str


class FormOut(FormBody):
    """A published form with the wording it shows."""

    form_id: str
    consent_ja: str
    consent_en: str

    @staticmethod
    def of(form: Form) -> FormOut:
        """From the domain."""
        return FormOut(
            form_id=form.form_id,
            kind=form.kind,
            title_ja=form.title_ja,
            title_en=form.title_en,
            municipality=form.municipality,
            consent_version=form.consent_version,
            purpose_version=form.purpose_version,
            allowed_origins=list(form.allowed_origins),
            thanks_url=form.thanks_url,
            fields=[
                ExtraFieldModel(
                    name=extra.name,
                    label_ja=extra.label_ja,
                    label_en=extra.label_en,
                    required=extra.required,
                    max_length=extra.max_length,
                )
                for extra in form.fields
            ],
            consent_ja=form.consent.ja,
            consent_en=form.consent.en,
        )


class FormsOut(Model):
    """Every form."""

    forms: list[FormOut]


class AudienceModel(Model):
    """Whom a campaign is meant for: every condition given must hold; none means everyone.

    ``registered_from`` (inclusive) and ``registered_until`` (exclusive) bound the moment the
    permission was given. ``received`` and ``not_received`` name an earlier campaign.
    """

    sources: list[Source] = Field(default=[], max_length=20)
    form_ids: list[str] = Field(default=[], max_length=200)
    municipalities: list[str] = Field(default=[], max_length=200)
    registered_from: AwareDatetime | None = None
    registered_until: AwareDatetime | None = None
    received: str = Field(default="", pattern=r"^([0-9a-f]{12})?$")
    not_received: str = Field(default="", pattern=r"^([0-9a-f]{12})?$")

    @model_validator(mode="after")
    def _some_time(self) -> AudienceModel:
        start, end = self.registered_from, self.registered_until
        if start is not None and end is not None and start >= end:
            raise ValueError("registered_from must be before registered_until")
        return self

    def audience(self) -> Audience:
        """As a domain value."""
        return Audience(
            sources=frozenset(self.sources),
            form_ids=frozenset(self.form_ids),
            municipalities=frozenset(self.municipalities),
            registered_from=self.registered_from,
            registered_until=self.registered_until,
            received=self.received,
            not_received=self.not_received,
        )

    @staticmethod
    def of(audience: Audience) -> AudienceModel:
        """From the domain."""
        return AudienceModel(
            sources=sorted(audience.sources),
            form_ids=sorted(audience.form_ids),
            municipalities=sorted(audience.municipalities),
            registered_from=audience.registered_from,
            registered_until=audience.registered_until,
            received=audience.received,
            not_received=audience.not_received,
        )


class SampleOut(Model):
    """One of those who would not get it; the address is masked, and empty once erased."""

    contact_id: str
    address: str

    @staticmethod
    def of(contact: Contact) -> SampleOut:
        """From the domain."""
        return SampleOut(contact_id=contact.contact_id, address=masked(contact.address))


class RestOut(Model):
    """How many are not eligible for one reason, with a few of them."""

    reason: str
    reason_ja: str
    reason_en: str
    count: int
    samples: list[SampleOut]


class DryRunOut(Model):
    """Whom an audience would reach if it were sent now, and why not the rest."""

    eligible: int
    eligible_is_exact: bool
    not_eligible: int
    rest: list[RestOut]
    notes: list[NoteOut]


class CampaignIn(Model):
    """What a campaign says, and to whom: one subject line, a body in Markdown, and a text part
    where the one made from the body will not do."""

    subject: str
    body: str
    text: str = ""
    audience: AudienceModel = AudienceModel()


class CampaignEdit(CampaignIn):
    """A new content. With ``version``: only if the campaign is still the one that was seen."""

    version: int | None = None


class ApprovalIn(Model):
    """With ``version``: only if the campaign is still the one that was seen."""

    version: int | None = None


class CampaignTestIn(Model):
    """Where a test mail goes."""

    to: str = Field(max_length=1000)


def _moment(value: object) -> datetime:
    """ISO 8601 with date and time; without a zone it is Japan's."""
    if not isinstance(value, str) or len(value) <= len("2026-12-01"):
        raise ValueError("give a date and a time, as in 2026-12-01T10:00")
    return in_tokyo(datetime.fromisoformat(value)).replace(microsecond=0)


class ScheduleIn(Model):
    """When to begin: ISO 8601, without a zone in Japan's time."""

    at: Annotated[datetime, BeforeValidator(_moment)]


class FindingOut(Model):
    """One thing the linter found."""

    rule: str
    severity: Severity
    field: str
    sentence_ja: str
    sentence_en: str


class FindingsOut(Model):
    """All it found, errors first. ``blocks``: it cannot be approved or sent like this."""

    blocks: bool
    findings: list[FindingOut]

    @staticmethod
    def of(findings: list[Finding]) -> FindingsOut:
        """From the linter."""
        return FindingsOut(
            blocks=any(found.severity is Severity.ERROR for found in findings),
            findings=[
                FindingOut(
                    rule=found.rule,
                    severity=found.severity,
                    field=found.field,
                    sentence_ja=found.ja,
                    sentence_en=found.en,
                )
                for found in findings
            ],
        )


class ProgressOut(Model):
    """How far sending is (0 to 1), how many mails a second, and the seconds it still takes."""

    fraction: float
    per_second: float
    seconds_left: int | None

    @staticmethod
    def of(progress: Progress) -> ProgressOut:
        """From the domain."""
        return ProgressOut(
            fraction=round(progress.fraction, 4),
            per_second=round(progress.per_second, 2),
            seconds_left=progress.seconds_left,
        )


class CampaignOut(Model):
    """A campaign; with figures where one is asked for. ``tested``: exactly this content was.

    ``figures``: people by outcome; ``skipped``: by reason; ``received``: delivered, bounced,
    soft_bounced, complained, unsubscribed. Opens and clicks are not measured.
    """

    campaign_id: str
    subject: str
    body: str
    text: str
    audience: AudienceModel
    status: CampaignStatus
    created_by: str
    created_at: datetime
    edited_by: str
    tested: bool
    approved_by: str
    approved_at: datetime | None
    scheduled_for: datetime | None
    started_at: datetime | None
    pause_reason: PauseReason | None
    cloned_from: str
    version: int
    figures: dict[str, int] = {}
    skipped: dict[str, int] = {}
    eligible: int | None = None
    received: dict[str, int] = {}
    progress: ProgressOut | None = None

    @staticmethod
    def of(campaign: Campaign) -> CampaignOut:
        """From the domain, without figures."""
        return CampaignOut(
            campaign_id=campaign.campaign_id,
            subject=campaign.subject,
            body=campaign.body,
            status=campaign.status,
            created_by=campaign.created_by,
            created_at=campaign.created_at,
            text=campaign.text,
            audience=AudienceModel.of(campaign.audience),
            edited_by=campaign.edited_by,
            tested=campaign.tested_hash == content_hash(campaign),
            approved_by=campaign.approved_by,
            approved_at=campaign.approved_at,
            scheduled_for=campaign.scheduled_for,
            started_at=campaign.started_at,
            pause_reason=campaign.pause_reason,
            cloned_from=campaign.cloned_from,
            version=campaign.version,
        )


class CampaignsOut(Model):
    """Every campaign, the newest first."""

    campaigns: list[CampaignOut]


def masked(address: str) -> str:
    """An address as lists show it; nothing of what is none."""
    try:
        return parse_address(address).masked
    except AddressError:
        return ""


def _or(given: int | None, default: int) -> int:
    return default if given is None else given
