"""Context: what may be set, and how a mistake is answered."""

from __future__ import annotations

import json
from typing import Any

import pytest

from infra.config import Config, ConfigError, read_config
from shared.adapters import aws
from tests.infrastructure.assembly import CONTEXT


@pytest.fixture(autouse=True)
def _no_account(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CDK_DEFAULT_ACCOUNT", raising=False)


def read(**changes: Any) -> Config:
    return read_config({**CONTEXT, **changes}.get)


def test_the_default_is_aws_in_tokyo_in_any_account() -> None:
    config = read()
    assert (config.target, config.region, config.account) == ("aws", "ap-northeast-1", "")
    assert config.company.name == "空き家活用株式会社"
    assert config.eligibility_profile == "manual"


def test_the_account_of_the_cli_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CDK_DEFAULT_ACCOUNT", "111122223333")
    assert read().account == "111122223333"
    assert read(account="444455556666").account == "444455556666"


def test_numbers_differ_by_target_and_can_be_lowered() -> None:
    assert read().posts_per_hour_per_address == 20
    assert read(target="local").posts_per_hour_per_address == 600
    assert read(target="local", posts_per_hour_per_address="3").posts_per_hour_per_address == 3


@pytest.mark.parametrize("target", ["aws", "local"])
def test_a_claim_is_not_settled_while_ses_may_still_answer(target: str) -> None:
    assert read(target=target).settle_seconds > aws.SEND_SECONDS


def test_tests_of_a_campaign_go_to_the_mail_domain_and_where_else_is_said() -> None:
    assert read().test_mail_domains == ("mail.example.jp",)
    assert read(target="local").test_mail_domains == ("mail.example.jp", "example.jp")
    given = read(test_mail_domains="company.example, other.example").test_mail_domains
    assert given == ("mail.example.jp", "company.example", "other.example")


def test_a_flag_may_be_given_as_text() -> None:
    assert read().author_may_approve is False
    assert read(author_may_approve="true").author_may_approve is True
    assert read(author_may_approve="false").author_may_approve is False


def test_days_off_may_be_given_as_text() -> None:
    assert read().days_off == ("12-29", "12-30", "12-31", "01-02", "01-03")
    assert read(days_off="12-31, 2027-05-06").days_off == ("12-31", "2027-05-06")


def test_base_urls_lose_their_slash() -> None:
    assert read(public_url="https://optin.example.jp/").public_url == "https://optin.example.jp"


def test_the_company_may_be_given_as_json() -> None:
    company = {"name": "社", "name_en": "Co", "address": "所", "contact": "c@example.jp"}
    assert read(company=json.dumps(company)).company.address == "所"


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("target", "azure"),
        ("account", "12345"),
        ("region", "Tokyo"),
        ("region", ""),
        ("mail_domain", "optin@mail.example.jp"),
        ("mail_domain", ""),
        ("public_url", "optin.example.jp"),
        ("public_url", "https://optin.example.jp/?a=1"),
        ("console_url", 5),
        ("ses_endpoint", "http://127.0.0.1:9000"),
        ("alarm_email", "ops"),
        ("eligibility_profile", "loose"),
        ("posts_per_minute_per_source", "many"),
        ("posts_per_minute_per_source", 0),
        ("posts_per_minute_per_source", {"local": 5}),
        ("settle_seconds", None),
        ("soft_bounces", 0),
        ("soft_bounce_days", "x"),
        ("bounces_per_thousand", None),
        ("complaints_per_thousand", 0),
        ("reputation_minimum", ""),
        ("author_may_approve", "yes"),
        ("author_may_approve", None),
        ("author_may_approve", 1),
        ("test_mail_domains", None),
        ("test_mail_domains", "a@example.jp"),
        ("test_mail_domains", ["example"]),
        ("test_mail_domains", [5]),
        ("case_business_days", 0),
        ("days_off", None),
        ("days_off", []),
        ("days_off", ["31-12"]),
        ("days_off", ["02-30x"]),
        ("days_off", [1229]),
        ("erasure_runs_by_itself", "perhaps"),
        ("raw_mail_days", "0"),
        ("received_days", None),
        ("answers_per_hour", 0),
        ("receipt_rule_set", "a rule set"),
        ("company", "not json"),
        ("company", ["a"]),
    ],
)
def test_a_wrong_value_is_named(key: str, value: object) -> None:
    with pytest.raises(ConfigError, match=key) as error:
        read(**{key: value})
    assert error.value.key == key


def test_what_the_law_wants_in_every_mail_may_not_be_missing() -> None:
    company = {**CONTEXT["company"], "address": " "}
    with pytest.raises(ConfigError, match=r"company\.address"):
        read(company=company)


def test_without_the_cli_it_says_so() -> None:
    with pytest.raises(SystemExit, match="cdk synth"):
        read_config(lambda _key: None)
