"""What a deployment may choose: CDK context (cdk.json, `-c key=value`), validated once."""

import json
import os
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast, get_args
from urllib.parse import urlsplit

import aws_cdk as cdk

from infra.bundle import Target

Profile = Literal["manual", "statute"]

_DOMAIN = re.compile(r"(?=.{4,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}")
_DAY_OFF = re.compile(r"(?:20\d\d-)?(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])")
_RULE_SET = re.compile(r"(?=.{1,64}$)[A-Za-z0-9]([A-Za-z0-9_.-]*[A-Za-z0-9])?")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")


class ConfigError(ValueError):
    """A context value that cannot be deployed; names the key."""

    def __init__(self, key: str, problem: str) -> None:
        super().__init__(f"context {key!r}: {problem} (cdk.json, or -c {key}=…)")
        self.key = key


@dataclass(frozen=True, kw_only=True)
class Company:
    """Who sends the mail: shown in every form, footer and page."""

    name: str
    name_en: str
    address: str
    contact: str


@dataclass(frozen=True, kw_only=True)
class Config:
    """One deployment. Empty URLs mean: the API's own endpoint."""

    target: Target
    account: str
    region: str
    public_url: str
    console_url: str
    staff_api_url: str
    cognito_domain_url: str
    cognito_domain_prefix: str
    mail_domain: str
    ses_endpoint: str
    alarm_email: str
    company: Company
    eligibility_profile: Profile
    author_may_approve: bool
    test_mail_domains: tuple[str, ...]
    posts_per_minute_per_source: int
    posts_per_hour_per_address: int
    settle_seconds: int
    soft_bounces: int
    soft_bounce_days: int
    bounces_per_thousand: int
    complaints_per_thousand: int
    reputation_minimum: int
    frequency_cap_campaigns: int
    frequency_cap_days: int
    case_business_days: int
    days_off: tuple[str, ...]
    erasure_runs_by_itself: bool
    raw_mail_days: int
    received_days: int
    receipt_rule_set: str
    answers_per_hour: int

    @property
    def local(self) -> bool:
        """Deployed to the stand-in: the few conditions that it needs all ask this."""
        return self.target == "local"

    @property
    def removal_policy(self) -> cdk.RemovalPolicy:
        """What people entrusted to us outlives its stack in AWS, and only there."""
        return cdk.RemovalPolicy.DESTROY if self.local else cdk.RemovalPolicy.RETAIN

    @property
    def environment(self) -> cdk.Environment:
        """Account and region; without an account the template fits any."""
        return cdk.Environment(account=self.account or None, region=self.region)

    @property
    def rule_set(self) -> str:
        """The set our receipt rule stands in; `optin` is ours alone."""
        return self.receipt_rule_set or "optin"

    @property
    def schedule_time_zone(self) -> str:
        """The stand-in reads every schedule as UTC, whatever zone it names."""
        return "UTC" if self.local else "Asia/Tokyo"

    def synthesizer(self) -> cdk.IStackSynthesizer:
        """The stand-in denies the bootstrap roles the asset bucket; the CLI's own keys may."""
        if self.local:
            return cdk.CliCredentialsStackSynthesizer()
        return cdk.DefaultStackSynthesizer()


def _text(key: str, value: object) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        raise ConfigError(key, "must be text")
    return value.strip()


def _matching(key: str, value: str, pattern: re.Pattern[str], what: str) -> str:
    if not pattern.fullmatch(value):
        raise ConfigError(key, f"{value!r} is not {what}")
    return value


def _url(key: str, value: str) -> str:
    parts = urlsplit(value)
    if value and (parts.scheme not in ("http", "https") or not parts.netloc or parts.query):
        raise ConfigError(key, f"{value!r} is not a base URL")
    return value.rstrip("/")


def _choice(key: str, value: str, choices: tuple[str, ...]) -> str:
    if value not in choices:
        raise ConfigError(key, f"{value!r} is not one of {', '.join(choices)}")
    return value


def _number(key: str, value: object, target: Target, *, least: int = 1) -> int:
    if isinstance(value, Mapping):
        value = value.get(target)
    try:
        number = int(str(value))
    except ValueError:
        number = least - 1
    if number < least:
        raise ConfigError(key, f"{value!r} is not a whole number above {least - 1}")
    return number


def _flag(key: str, value: object) -> bool:
    """`-c key=true` arrives as text."""
    match value:
        case bool():
            return value
        case "true" | "false":
            return value == "true"
    raise ConfigError(key, f"{value!r} is neither true nor false")


def _domains(key: str, value: object, target: Target) -> tuple[str, ...]:
    if isinstance(value, Mapping):
        value = value.get(target)
    if isinstance(value, str):
        value = [name for name in value.split(",") if name.strip()]
    if not isinstance(value, Sequence):
        raise ConfigError(key, "must be a list of domain names")
    return tuple(_matching(key, _text(key, name), _DOMAIN, "a domain name") for name in value)


def _days_off(key: str, value: object) -> tuple[str, ...]:
    """Beside Saturdays, Sundays and the national holidays."""
    days = value.split(",") if isinstance(value, str) else value
    if not isinstance(days, Sequence) or not days:
        raise ConfigError(key, "must be a list of days; 01-01, a holiday anyway, if there are none")
    what = "a day like 12-31 or 2027-05-06"
    return tuple(_matching(key, _text(key, day), _DAY_OFF, what) for day in days)


def _company(value: object) -> Company:
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            raise ConfigError("company", "is not JSON") from None
    if not isinstance(value, Mapping):
        raise ConfigError("company", "must have name, name_en, address and contact")
    fields = {
        name: _text(f"company.{name}", value.get(name))
        for name in ("name", "name_en", "address", "contact")
    }
    for name, text in fields.items():
        if not text:
            raise ConfigError(f"company.{name}", "is missing: the law wants it in every mail")
    return Company(**fields)


def read_config(context: Callable[[str], Any]) -> Config:
    """Reads and checks the context; `context` is `app.node.try_get_context`."""

    def text(key: str) -> str:
        return _text(key, context(key))

    if context("target") is None:
        sys.exit("optin: no context. Run this through the CDK CLI: `cdk synth`, `cdk deploy`.")
    target = cast("Target", _choice("target", text("target"), get_args(Target)))
    profile = _choice("eligibility_profile", text("eligibility_profile"), get_args(Profile))
    account = text("account") or os.environ.get("CDK_DEFAULT_ACCOUNT", "")
    ses_endpoint = _url("ses_endpoint", text("ses_endpoint"))
    if ses_endpoint and target == "aws":
        raise ConfigError("ses_endpoint", "is for target=local only")
    if alarm_email := text("alarm_email"):
        _matching("alarm_email", alarm_email, _EMAIL, "an e-mail address")
    if account:
        _matching("account", account, re.compile(r"\d{12}"), "an account id of 12 digits")
    mail_domain = _matching("mail_domain", text("mail_domain"), _DOMAIN, "a domain name")
    if rule_set := text("receipt_rule_set"):
        _matching("receipt_rule_set", rule_set, _RULE_SET, "a name of a receipt rule set")
    more_domains = _domains("test_mail_domains", context("test_mail_domains"), target)
    return Config(
        target=target,
        account=account,
        region=_matching(
            "region", text("region"), re.compile(r"[a-z]{2}(-[a-z]+)+-\d"), "a region"
        ),
        public_url=_url("public_url", text("public_url")),
        console_url=_url("console_url", text("console_url")),
        staff_api_url=_url("staff_api_url", text("staff_api_url")),
        cognito_domain_url=_url("cognito_domain_url", text("cognito_domain_url")),
        cognito_domain_prefix=text("cognito_domain_prefix"),
        mail_domain=mail_domain,
        ses_endpoint=ses_endpoint,
        alarm_email=alarm_email,
        company=_company(context("company")),
        eligibility_profile=cast("Profile", profile),
        author_may_approve=_flag("author_may_approve", context("author_may_approve")),
        test_mail_domains=(mail_domain, *more_domains),
        posts_per_minute_per_source=_number(
            "posts_per_minute_per_source", context("posts_per_minute_per_source"), target
        ),
        posts_per_hour_per_address=_number(
            "posts_per_hour_per_address", context("posts_per_hour_per_address"), target
        ),
        settle_seconds=_number("settle_seconds", context("settle_seconds"), target),
        soft_bounces=_number("soft_bounces", context("soft_bounces"), target),
        soft_bounce_days=_number("soft_bounce_days", context("soft_bounce_days"), target),
        bounces_per_thousand=_number(
            "bounces_per_thousand", context("bounces_per_thousand"), target
        ),
        complaints_per_thousand=_number(
            "complaints_per_thousand", context("complaints_per_thousand"), target
        ),
        reputation_minimum=_number("reputation_minimum", context("reputation_minimum"), target),
        frequency_cap_campaigns=_number(
            "frequency_cap_campaigns", context("frequency_cap_campaigns"), target, least=0
        ),
        frequency_cap_days=_number("frequency_cap_days", context("frequency_cap_days"), target),
        case_business_days=_number("case_business_days", context("case_business_days"), target),
        days_off=_days_off("days_off", context("days_off")),
        erasure_runs_by_itself=_flag("erasure_runs_by_itself", context("erasure_runs_by_itself")),
        raw_mail_days=_number("raw_mail_days", context("raw_mail_days"), target),
        received_days=_number("received_days", context("received_days"), target),
        receipt_rule_set=rule_set,
        answers_per_hour=_number("answers_per_hour", context("answers_per_hour"), target),
    )
