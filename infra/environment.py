"""Which settings each function gets: what it reads (`shared/settings.py`) and no more."""

from collections.abc import Mapping
from dataclasses import dataclass

from infra.config import Config
from infra.permissions import Resources

METRICS = "optin"
"""CloudWatch namespace of what the functions count."""


@dataclass(frozen=True, kw_only=True)
class Urls:
    """Where things are reached from outside."""

    public: str
    staff_api: str
    console: str
    sign_in: str


def environments(
    config: Config,
    r: Resources,
    urls: Urls,
    *,
    configuration_set: str,
    client_id: str,
) -> Mapping[str, Mapping[str, str]]:
    """The environment of every function, by name."""
    company = {
        "COMPANY_NAME": config.company.name,
        "COMPANY_NAME_EN": config.company.name_en,
        "COMPANY_ADDRESS": config.company.address,
        "COMPANY_CONTACT": config.company.contact,
    }
    contacts = {"CONTACTS_TABLE": r.contacts.table_name}
    events = {"EVENTS_TABLE": r.events.table_name}
    forms = {"FORMS_TABLE": r.forms.table_name}
    campaigns = {
        "CAMPAIGNS_TABLE": r.campaigns.table_name,
        "CAMPAIGN_QUEUE_URL": r.campaign_jobs.queue_url,
    }
    ledger = {"LEDGER_TABLE": r.ledger.table_name}
    standings = {"STANDINGS_TABLE": r.standings.table_name}
    throttle = {"THROTTLE_TABLE": r.throttle.table_name}
    cases = {"CASES_TABLE": r.cases.table_name, "CASE_QUEUE_URL": r.case_jobs.queue_url}
    received = {
        "RECEIVED_TABLE": r.received.table_name,
        "INBOUND_BUCKET": r.inbound_bucket.bucket_name,
    }
    due = {
        "CASE_BUSINESS_DAYS": str(config.case_business_days),
        "DAYS_OFF": ",".join(config.days_off),
    }
    soft_bounces = {
        "SOFT_BOUNCES": str(config.soft_bounces),
        "SOFT_BOUNCE_DAYS": str(config.soft_bounce_days),
    }
    erasure = {"ERASURE_RUNS_BY_ITSELF": str(config.erasure_runs_by_itself).lower()}
    contact_key = {"CONTACT_KEY_SECRET": r.contact_key_arn}
    link_keys = {"LINK_KEYS_SECRET": r.link_keys_arn}
    profile = {"ELIGIBILITY_PROFILE": config.eligibility_profile}
    public_url = {"PUBLIC_URL": urls.public}
    mail = {
        "CONFIGURATION_SET": configuration_set,
        "MAIL_DOMAIN": config.mail_domain,
        **({"AWS_ENDPOINT_URL_SESV2": config.ses_endpoint} if config.ses_endpoint else {}),
    }
    own: Mapping[str, Mapping[str, str]] = {
        "form_intake": {
            **company,
            **contacts,
            **events,
            **forms,
            **contact_key,
            **public_url,
            **throttle,
            "POSTS_PER_MINUTE_PER_SOURCE": str(config.posts_per_minute_per_source),
            "POSTS_PER_HOUR_PER_ADDRESS": str(config.posts_per_hour_per_address),
        },
        "unsubscribe": {**company, **contacts, **events, **link_keys},
        "staff_api": {
            **company,
            **contacts,
            **events,
            **forms,
            **campaigns,
            **ledger,
            **standings,
            **cases,
            **received,
            **due,
            **erasure,
            **contact_key,
            **link_keys,
            **profile,
            **public_url,
            **mail,
            "AUTHOR_MAY_APPROVE": str(config.author_may_approve).lower(),
            "TEST_MAIL_DOMAINS": ",".join(config.test_mail_domains),
            "CAMPAIGN_QUEUE_ARN": r.campaign_jobs.queue_arn,
            "SCHEDULE_ROLE_ARN": r.campaign_starts_role.role_arn,
            "SCHEDULE_FAILURES_ARN": r.campaign_failures.queue_arn,
            "SCHEDULE_TIME_ZONE": config.schedule_time_zone,
        },
        "campaign_sender": {
            **company,
            **contacts,
            **campaigns,
            **ledger,
            **link_keys,
            **profile,
            **public_url,
            **mail,
            **throttle,
            "SETTLE_SECONDS": str(config.settle_seconds),
            "FREQUENCY_CAP_CAMPAIGNS": str(config.frequency_cap_campaigns),
            "FREQUENCY_CAP_DAYS": str(config.frequency_cap_days),
        },
        "ses_feedback": {
            **contacts,
            **events,
            **ledger,
            **contact_key,
            "CAMPAIGNS_TABLE": r.campaigns.table_name,
            "CONFIGURATION_SET": configuration_set,
            **soft_bounces,
            "MAIL_DOMAIN": config.mail_domain,
            "BOUNCES_PER_THOUSAND": str(config.bounces_per_thousand),
            "COMPLAINTS_PER_THOUSAND": str(config.complaints_per_thousand),
            "REPUTATION_MINIMUM": str(config.reputation_minimum),
        },
        "standings": standings,
        "mail_intake": {
            **contacts,
            **events,
            **cases,
            **received,
            **due,
            **contact_key,
            **link_keys,
            **soft_bounces,
            "MAIL_DOMAIN": config.mail_domain,
            "RECEIVED_DAYS": str(config.received_days),
        },
        "case_worker": {
            **company,
            **contacts,
            **events,
            **cases,
            **received,
            **throttle,
            **contact_key,
            **link_keys,
            **public_url,
            **mail,
            "ANSWERS_PER_HOUR": str(config.answers_per_hour),
            "INBOUND_FAILURES_URL": r.inbound_failures.queue_url,
        },
        "case_link": {
            **company,
            **contacts,
            **events,
            **cases,
            **ledger,
            "RECEIVED_TABLE": r.received.table_name,
            **link_keys,
            **profile,
            **erasure,
            "CAMPAIGNS_TABLE": r.campaigns.table_name,
        },
        "console": {
            **public_url,
            "COMPANY_NAME": config.company.name,
            "STAFF_API_URL": urls.staff_api,
            "CONSOLE_URL": urls.console,
            "COGNITO_DOMAIN": urls.sign_in,
            "COGNITO_CLIENT_ID": client_id,
        },
    }
    return {
        name: {
            "POWERTOOLS_SERVICE_NAME": name,
            "POWERTOOLS_METRICS_NAMESPACE": METRICS,
            **variables,
        }
        for name, variables in own.items()
    }
