"""Environment variables: complete and well-formed, or everything wrong is named at once."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from shared.domain.eligibility import Profile
from shared.settings import (
    CampaignSenderSettings,
    CaseLinkSettings,
    CaseWorkerSettings,
    FormIntakeSettings,
    MailIntakeSettings,
    SesFeedbackSettings,
    SettingsError,
    StaffApiSettings,
    StandingsSettings,
    UnsubscribeSettings,
    load,
)

MODELS = [
    FormIntakeSettings,
    UnsubscribeSettings,
    StaffApiSettings,
    CampaignSenderSettings,
    SesFeedbackSettings,
    MailIntakeSettings,
    CaseWorkerSettings,
    CaseLinkSettings,
    StandingsSettings,
]
SPECIAL = {
    "ELIGIBILITY_PROFILE": "statute",
    "POSTS_PER_MINUTE_PER_SOURCE": "600",
    "POSTS_PER_HOUR_PER_ADDRESS": "20",
    "SETTLE_SECONDS": "900",
    "FREQUENCY_CAP_CAMPAIGNS": "0",
    "FREQUENCY_CAP_DAYS": "7",
    "SOFT_BOUNCES": "3",
    "SOFT_BOUNCE_DAYS": "30",
    "BOUNCES_PER_THOUSAND": "50",
    "COMPLAINTS_PER_THOUSAND": "1",
    "REPUTATION_MINIMUM": "100",
    "SCHEDULE_TIME_ZONE": "Asia/Tokyo",
    "TEST_MAIL_DOMAINS": "mail.example.jp,example.jp",
    "AUTHOR_MAY_APPROVE": "true",
    "CASE_BUSINESS_DAYS": "8",
    "DAYS_OFF": "12-29,2027-05-06",
    "ERASURE_RUNS_BY_ITSELF": "false",
    "RECEIVED_DAYS": "400",
    "ANSWERS_PER_HOUR": "200",
}
# Where a value does not read as it is written.
TYPED: dict[str, object] = {
    "TEST_MAIL_DOMAINS": {"mail.example.jp", "example.jp"},
    "AUTHOR_MAY_APPROVE": True,
    "DAYS_OFF": {"12-29", "2027-05-06"},
    "ERASURE_RUNS_BY_ITSELF": False,
}


def names(model: type[Any]) -> list[str]:
    return [field.name.upper() for field in dataclasses.fields(model)]


def environ(model: type[Any]) -> dict[str, str]:
    return {name: SPECIAL.get(name, f"value of {name}") for name in names(model)}


@pytest.mark.parametrize("model", MODELS)
def test_complete(model: type[Any]) -> None:
    settings = load(model, {**environ(model), "PATH": "/bin"})
    for name in names(model):
        value = getattr(settings, name.lower())
        assert value == TYPED[name] if name in TYPED else str(value) == environ(model)[name]


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("empty", [None, "", "  "])
def test_each_variable_is_needed(model: type[Any], empty: str | None) -> None:
    for name in names(model):
        given = environ(model)
        del given[name]
        if empty is not None:
            given[name] = empty
        with pytest.raises(SettingsError) as refused:
            load(model, given)
        assert refused.value.problems == [f"{name} is missing"]


def test_everything_missing_is_named_at_once() -> None:
    with pytest.raises(SettingsError) as refused:
        load(FormIntakeSettings, {})
    assert refused.value.problems == [f"{name} is missing" for name in names(FormIntakeSettings)]


@pytest.mark.parametrize(
    ("model", "name", "value"),
    [
        (FormIntakeSettings, "POSTS_PER_MINUTE_PER_SOURCE", "many"),
        (FormIntakeSettings, "POSTS_PER_HOUR_PER_ADDRESS", "1.5"),
        (CampaignSenderSettings, "SETTLE_SECONDS", "15 min"),
        (StaffApiSettings, "ELIGIBILITY_PROFILE", "lenient"),
        (CampaignSenderSettings, "ELIGIBILITY_PROFILE", "MANUAL"),
        (StaffApiSettings, "AUTHOR_MAY_APPROVE", "yes"),
        (StaffApiSettings, "SCHEDULE_TIME_ZONE", "Asia/Seoul"),
        (MailIntakeSettings, "CASE_BUSINESS_DAYS", "two weeks"),
        (CaseLinkSettings, "ERASURE_RUNS_BY_ITSELF", "perhaps"),
    ],
)
def test_malformed(model: type[Any], name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=f"{name} is not a valid"):
        load(model, {**environ(model), name: value})


def test_values_are_typed() -> None:
    """Rule 6: one setting chooses the profile."""
    staff = load(StaffApiSettings, environ(StaffApiSettings))
    assert staff.eligibility_profile is Profile.STATUTE
    relaxed = {**environ(StaffApiSettings), "AUTHOR_MAY_APPROVE": "false"}
    assert load(StaffApiSettings, relaxed).author_may_approve is False
    assert load(FormIntakeSettings, environ(FormIntakeSettings)).posts_per_minute_per_source == 600


def test_company() -> None:
    """L1: the company's values are configuration."""
    company = load(UnsubscribeSettings, environ(UnsubscribeSettings)).company
    assert company.name == "value of COMPANY_NAME"
    assert company.name_en == "value of COMPANY_NAME_EN"
    assert company.address == "value of COMPANY_ADDRESS"
    assert company.contact == "value of COMPANY_CONTACT"
