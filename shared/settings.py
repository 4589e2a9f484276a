"""The environment of each function as one validated model.

Plain data classes: pydantic would cost half a cold start here. ``load`` names everything
that is missing or malformed at once, so that a wrong deployment says what is wrong.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any, TypeVar, get_type_hints

from shared.domain.company import Company
from shared.domain.eligibility import Profile
from shared.domain.zones import Zone

T = TypeVar("T")


class SettingsError(RuntimeError):
    """The environment is incomplete or malformed. ``problems`` has one line per variable."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


@dataclasses.dataclass(frozen=True, slots=True)
class CompanySettings:
    """特定電子メール法 4条 items; every function that speaks to people has them."""

    company_name: str
    company_name_en: str
    company_address: str
    company_contact: str

    @property
    def company(self) -> Company:
        """The sender as a domain value."""
        return Company(
            self.company_name, self.company_name_en, self.company_address, self.company_contact
        )


@dataclasses.dataclass(frozen=True, slots=True)
class FormIntakeSettings(CompanySettings):
    """``functions.form_intake``."""

    contacts_table: str
    events_table: str
    forms_table: str
    throttle_table: str
    contact_key_secret: str
    public_url: str
    posts_per_minute_per_source: int
    posts_per_hour_per_address: int


@dataclasses.dataclass(frozen=True, slots=True)
class UnsubscribeSettings(CompanySettings):
    """``functions.unsubscribe``."""

    contacts_table: str
    events_table: str
    link_keys_secret: str


@dataclasses.dataclass(frozen=True, slots=True)
class StaffApiSettings(CompanySettings):
    """``functions.staff_api``.

    ``author_may_approve`` lets one person do without a second one. Tests of a campaign go to
    addresses of ``test_mail_domains`` only. ``schedule_*``: in whose name, to which queue where
    it fails, and on which clock campaigns are started later. ``case_business_days`` and
    ``days_off``: when an answer to a request is due. ``erasure_runs_by_itself``: once the person
    confirmed, without an approval.
    """

    contacts_table: str
    events_table: str
    forms_table: str
    campaigns_table: str
    ledger_table: str
    standings_table: str
    cases_table: str
    received_table: str
    inbound_bucket: str
    contact_key_secret: str
    link_keys_secret: str
    case_queue_url: str
    case_business_days: int
    days_off: frozenset[str]
    erasure_runs_by_itself: bool
    campaign_queue_url: str
    campaign_queue_arn: str
    schedule_role_arn: str
    schedule_failures_arn: str
    schedule_time_zone: Zone
    configuration_set: str
    public_url: str
    mail_domain: str
    test_mail_domains: frozenset[str]
    author_may_approve: bool
    eligibility_profile: Profile


@dataclasses.dataclass(frozen=True, slots=True)
class CampaignSenderSettings(CompanySettings):
    """``functions.campaign_sender``. ``settle_seconds``: how long SES's own record is awaited.

    ``frequency_cap_*``: at most so many campaigns for one contact in so many days; 0: no limit.
    """

    contacts_table: str
    campaigns_table: str
    ledger_table: str
    throttle_table: str
    link_keys_secret: str
    campaign_queue_url: str
    configuration_set: str
    public_url: str
    mail_domain: str
    eligibility_profile: Profile
    settle_seconds: int
    frequency_cap_campaigns: int
    frequency_cap_days: int


@dataclasses.dataclass(frozen=True, slots=True)
class MailIntakeSettings:
    """``functions.mail_intake``.

    A request is due ``case_business_days`` after it came, by a calendar without ``days_off``
    ("MM-DD" every year, "YYYY-MM-DD" once). ``received_days``: how long the note of a mail
    stays, by which its second delivery is recognised. ``soft_bounces`` as for ``ses_feedback``.
    """

    contacts_table: str
    events_table: str
    cases_table: str
    received_table: str
    inbound_bucket: str
    contact_key_secret: str
    link_keys_secret: str
    case_queue_url: str
    mail_domain: str
    case_business_days: int
    days_off: frozenset[str]
    received_days: int
    soft_bounces: int
    soft_bounce_days: int


@dataclasses.dataclass(frozen=True, slots=True)
class CaseWorkerSettings(CompanySettings):
    """``functions.case_worker``.

    ``answers_per_hour``: at most so many automatic answers to mail whose sender nothing vouches
    for.
    """

    contacts_table: str
    events_table: str
    cases_table: str
    received_table: str
    throttle_table: str
    inbound_bucket: str
    contact_key_secret: str
    link_keys_secret: str
    case_queue_url: str
    inbound_failures_url: str
    configuration_set: str
    public_url: str
    mail_domain: str
    answers_per_hour: int


@dataclasses.dataclass(frozen=True, slots=True)
class CaseLinkSettings(CompanySettings):
    """``functions.case_link``. ``erasure_runs_by_itself``: without an approval."""

    contacts_table: str
    events_table: str
    cases_table: str
    campaigns_table: str
    ledger_table: str
    received_table: str
    link_keys_secret: str
    case_queue_url: str
    erasure_runs_by_itself: bool
    eligibility_profile: Profile


@dataclasses.dataclass(frozen=True, slots=True)
class StandingsSettings:
    """``functions.standings``."""

    standings_table: str


@dataclasses.dataclass(frozen=True, slots=True)
class SesFeedbackSettings:
    """``functions.ses_feedback``.

    ``soft_bounces`` within ``soft_bounce_days`` hold an address. The last three are the limits
    of bounces and complaints (``feedback.Limits``).
    """

    contacts_table: str
    events_table: str
    campaigns_table: str
    ledger_table: str
    contact_key_secret: str
    configuration_set: str
    mail_domain: str
    soft_bounces: int
    soft_bounce_days: int
    bounces_per_thousand: int
    complaints_per_thousand: int
    reputation_minimum: int


def _flag(text: str) -> bool:
    if text not in {"true", "false"}:
        raise ValueError
    return text == "true"


# Where a type's own constructor does not read text.
_READERS: Mapping[Any, Callable[[str], Any]] = {
    bool: _flag,
    frozenset[str]: lambda text: frozenset(text.split(",")),
}


def load(model: type[T], environ: Mapping[str, str]) -> T:
    """Read a settings model from environment variables named like its fields, upper-cased.

    Raises:
        SettingsError: naming every variable that is missing, empty or malformed.
    """
    hints = get_type_hints(model)
    values: dict[str, Any] = {}
    problems: list[str] = []
    for field in dataclasses.fields(model):  # type: ignore[arg-type]
        name = field.name.upper()
        text = environ.get(name, "").strip()
        if not text:
            problems.append(f"{name} is missing")
            continue
        try:
            hint = hints[field.name]
            values[field.name] = _READERS.get(hint, hint)(text)
        except ValueError:
            problems.append(f"{name} is not a valid {hints[field.name].__name__}")
    if problems:
        raise SettingsError(problems)
    return model(**values)
