"""One small AWS with the product's tables, people in it, and the doors of every handler."""

from __future__ import annotations

import base64
import copy
import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from email.message import EmailMessage
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import boto3
from moto import mock_aws
from moto.dynamodb.models import dynamodb_backends
from moto.s3.models import s3_backends
from moto.sqs.models import sqs_backends

from functions import (
    campaign_sender,
    case_link,
    case_worker,
    form_intake,
    mail_intake,
    ses_feedback,
    standings,
    unsubscribe,
)
from functions.staff_api import app as staff_api
from functions.staff_api import context as staff_context
from shared.adapters.campaigns import CampaignStore
from shared.adapters.cases import CaseStore
from shared.adapters.contacts import ContactStore, contact_of, event_of
from shared.adapters.failures import FailedMail
from shared.adapters.figures import Figures
from shared.adapters.forms import FormStore, form_item
from shared.adapters.jobs import CaseJob, JobQueue
from shared.adapters.ledger import Ledger
from shared.adapters.mailer import Identities, Mailer
from shared.adapters.pace import Pace
from shared.adapters.rawmail import RawMail
from shared.adapters.received import Answers, Line, ReceivedStore
from shared.adapters.scheduler import Schedules
from shared.adapters.secrets import Secrets
from shared.adapters.standings import StandingStore
from shared.domain.address import contact_id, parse_address
from shared.domain.campaigns import Campaign, CampaignStatus
from shared.domain.contact import Contact, project
from shared.domain.eligibility import Profile
from shared.domain.events import Event, EventKind, Source, event_id, stamp
from shared.domain.forms import ExtraField, Form, FormKind
from shared.domain.links import Link, LinkKeys, sign
from shared.domain.zones import Zone
from shared.settings import (
    CampaignSenderSettings,
    CaseLinkSettings,
    CaseWorkerSettings,
    FormIntakeSettings,
    MailIntakeSettings,
    SesFeedbackSettings,
    StaffApiSettings,
    UnsubscribeSettings,
)
from shared.texts import consent
from shared.texts.consent import Language, TextId
from tests.integration.fakes import Clock, FakeQueue, FakeSes
from tests.integration.quick_moto import quick_answers, quick_transactions

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_secretsmanager import SecretsManagerClient

EVENTS = Path(__file__).resolve().parents[2] / "events"
REGION = "ap-northeast-1"
ACCOUNT = "123456789012"  # moto's
QUEUE_ARN = f"arn:aws:sqs:{REGION}:{ACCOUNT}:campaign-jobs"
FAILURES_ARN = f"arn:aws:sqs:{REGION}:{ACCOUNT}:campaign-failures"
STARTS_ROLE_ARN = f"arn:aws:iam::{ACCOUNT}:role/campaign-starts"
# The keys events/unsubscribe_*.json and the contact ids in events/ are made with.
CONTACT_KEY = "test-contact-key-7Qm2Vd8Rk1Xz5Nc9Tb4Lw6Jp3Hs0Gf"
LINK_KEYS = {"current": "k1", "k1": "test-link-key-1-A9s8D7f6G5h4J3k2L1z0X9c8V7b6N5m4"}
COMPANY = {
    "company_name": "空き家活用株式会社",
    "company_name_en": "Akiya Katsuyo Inc.",
    "company_address": "東京都港区芝1-2-3",
    "company_contact": "03-0000-0000",
}
# name: (partition key, sort key, indexes)
TABLES: Mapping[str, tuple[str, str, Mapping[str, tuple[str, str]]]] = {
    "contacts": (
        "contact_id",
        "",
        {"pending": ("pending", "pending_since"), "mailing_list": ("list_shard", "contact_id")},
    ),
    "events": ("contact_id", "event_key", {"stops": ("stopped_by", "contact_id")}),
    "forms": ("form_id", "", {}),
    "throttle": ("key", "", {}),
    "campaigns": ("campaign_id", "", {}),
    "standings": ("contact_id", "", {"by_place": ("place", "month")}),
    "ledger": ("campaign_id", "contact_id", {}),
    "cases": (
        "case_id",
        "item",
        {
            "by_contact": ("contact_id", "opened_at"),
            "queue": ("queue", "due_key"),
            "closed": ("closed", "closed_at"),
        },
    ),
    "received": (
        "mail_id",
        "",
        {
            "by_contact": ("contact_id", "received_at"),
            "filtered": ("filtered", "received_at"),
        },
    ),
}
INBOUND = "inbound"
MAIL_DOMAIN = "mail.example.jp"
DAYS_OFF = frozenset({"12-29", "12-30", "12-31", "01-02", "01-03"})
PERSONAL_TABLES = ("contacts", "events", "throttle", "ledger")
MUNICIPAL = "sakura-city"
WEB = "seminar"
FORMS = (
    Form(
        form_id=MUNICIPAL,
        kind=FormKind.MUNICIPAL_LP,
        title_ja="さくら市 空き家相談",
        title_en="Sakura City: advice on vacant houses",
        consent_version=1,
        purpose_version=1,
        municipality="さくら市",
        allowed_origins=("https://www.city.sakura.example.jp",),
        fields=(ExtraField("name", "お名前", "Name"), ExtraField("message", "内容", "Message")),
    ),
    Form(
        form_id=WEB,
        kind=FormKind.WEB_FORM,
        title_ja="空き家活用セミナー申込",
        title_en="Seminar on making use of vacant houses",
        consent_version=1,
        purpose_version=1,
        fields=(ExtraField("name", "お名前", "Name", required=True, max_length=20),),
    ),
)
State = dict[str, list[dict[str, Any]]]
Wrap = Callable[[Any], Any]


def unwrapped(client: Any) -> Any:
    return client


@dataclass
class LambdaContext:
    """The context object of a Lambda invocation."""

    remaining_ms: int | Callable[[], int] = 60_000
    function_name: str = "test"
    memory_limit_in_mb: int = 256
    invoked_function_arn: str = "arn:aws:lambda:ap-northeast-1:123456789012:function:test"
    aws_request_id: str = "52fdfc07-2182-454f-963f-5f0f9a621d72"

    def get_remaining_time_in_millis(self) -> int:
        return self.remaining_ms if isinstance(self.remaining_ms, int) else self.remaining_ms()


@cache
def _payload(name: str) -> str:
    return (EVENTS / f"{name}.json").read_text("utf-8")


def payload(name: str) -> dict[str, Any]:
    """A fresh copy of events/{name}.json."""
    loaded: dict[str, Any] = json.loads(_payload(name))
    return loaded


@dataclass
class World:
    """Everything outside the functions, and the functions' dependencies on it."""

    dynamodb: DynamoDBClient
    secretsmanager: SecretsManagerClient
    sqs: Any
    scheduler: Any
    s3: Any
    contact_key_arn: str
    link_keys_arn: str
    moto_queue_url: str
    failures_url: str
    clock: Clock = field(default_factory=Clock)
    requests: int = 0
    settings: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for form in FORMS:
            self.dynamodb.put_item(TableName="forms", Item=form_item(form))
        self.empty = self.saved()
        self.begin()

    def begin(self) -> None:
        """Back to an empty world with the two forms."""
        self.clock.time = Clock().time
        self.requests = 0
        self.settings = {
            "posts_per_minute_per_source": 60,
            "posts_per_hour_per_address": 20,
            "settle_seconds": 900,
            "eligibility_profile": Profile.MANUAL,
            "author_may_approve": False,
            "frequency_cap_campaigns": 0,
            "frequency_cap_days": 7,
            "erasure_runs_by_itself": False,
            "answers_per_hour": 200,
        }
        for schedule in self.schedules():
            self.scheduler.delete_schedule(Name=schedule["Name"])
        self.ses = FakeSes(self.clock)
        self.queue = FakeQueue(self.clock, "https://sqs.invalid/campaign-jobs")
        self.case_queue = FakeQueue(self.clock, "https://sqs.invalid/case-jobs")
        sqs_backends[ACCOUNT][REGION].queues["inbound-failures"]._messages = []
        self.restore(self.empty)

    # --- tables

    @property
    def _tables(self) -> Any:
        """moto's own tables: its API spends ten times as long on writing the answer."""
        return dynamodb_backends[ACCOUNT][REGION].tables

    def table(self, name: str) -> list[dict[str, Any]]:
        """All items of one table as DynamoDB keeps them, in the order of their keys."""
        items = [item.to_json()["Attributes"] for item in self._tables[name].all_items()]
        return sorted(items, key=lambda item: repr(_key(name, item)))

    def tables(self) -> State:
        return {name: self.table(name) for name in TABLES}

    def saved(self) -> Any:
        """All tables and the bucket, to be put back by ``restore``."""
        return {name: copy.deepcopy(self._tables[name]) for name in TABLES}, self.objects()

    def restore(self, saved: Any) -> None:
        tables, objects = saved
        self._tables.update(copy.deepcopy(tables))
        for key in self.objects():
            self.s3.delete_object(Bucket=INBOUND, Key=key)
        for key, raw in objects.items():
            self.s3.put_object(Bucket=INBOUND, Key=key, Body=raw)

    def objects(self) -> dict[str, bytes]:
        """Raw mail in the bucket, read past moto's API for speed."""
        bucket = s3_backends[ACCOUNT]["aws"].buckets[INBOUND]
        return {name: key.value for name, key in bucket.keys.items()}

    def schedules(self) -> list[dict[str, Any]]:
        """The starts to come, by name."""
        names = [each["Name"] for each in self.scheduler.list_schedules()["Schedules"]]
        return [self.scheduler.get_schedule(Name=name) for name in sorted(names)]

    # --- dependencies of each handler

    def form_intake(self, wrap: Wrap = unwrapped) -> form_intake.Deps:
        dynamodb = wrap(self.dynamodb)
        return form_intake.Deps(
            FormIntakeSettings(
                **COMPANY,
                contacts_table="contacts",
                events_table="events",
                forms_table="forms",
                throttle_table="throttle",
                contact_key_secret=self.contact_key_arn,
                public_url="https://optin.example.jp",
                posts_per_minute_per_source=self.settings["posts_per_minute_per_source"],
                posts_per_hour_per_address=self.settings["posts_per_hour_per_address"],
            ),
            ContactStore(dynamodb, "contacts", "events", "throttle", wait=_no_wait),
            FormStore(dynamodb, "forms"),
            Secrets(wrap(self.secretsmanager)),
        )

    def unsubscribe(self, wrap: Wrap = unwrapped) -> unsubscribe.Deps:
        return unsubscribe.Deps(
            UnsubscribeSettings(
                **COMPANY,
                contacts_table="contacts",
                events_table="events",
                link_keys_secret=self.link_keys_arn,
            ),
            ContactStore(wrap(self.dynamodb), "contacts", "events", wait=_no_wait),
            Secrets(wrap(self.secretsmanager)),
            clock=lambda: self.clock.now().timestamp(),
        )

    def staff_api(self, wrap: Wrap = unwrapped) -> staff_context.Deps:
        dynamodb = wrap(self.dynamodb)
        return staff_context.Deps(
            StaffApiSettings(
                **COMPANY,
                contacts_table="contacts",
                events_table="events",
                forms_table="forms",
                campaigns_table="campaigns",
                ledger_table="ledger",
                standings_table="standings",
                cases_table="cases",
                received_table="received",
                inbound_bucket=INBOUND,
                case_queue_url=self.case_queue.url,
                case_business_days=8,
                days_off=DAYS_OFF,
                erasure_runs_by_itself=self.settings["erasure_runs_by_itself"],
                contact_key_secret=self.contact_key_arn,
                link_keys_secret=self.link_keys_arn,
                campaign_queue_url=self.queue.url,
                campaign_queue_arn=QUEUE_ARN,
                schedule_role_arn=STARTS_ROLE_ARN,
                schedule_failures_arn=FAILURES_ARN,
                schedule_time_zone=Zone.TOKYO,
                configuration_set="optin",
                public_url="https://optin.example.jp",
                mail_domain="mail.example.jp",
                test_mail_domains=frozenset({"mail.example.jp"}),
                author_may_approve=self.settings["author_may_approve"],
                eligibility_profile=self.settings["eligibility_profile"],
            ),
            ContactStore(dynamodb, "contacts", "events", wait=_no_wait),
            FormStore(dynamodb, "forms"),
            CampaignStore(dynamodb, "campaigns"),
            Ledger(dynamodb, "ledger", "contacts"),
            JobQueue(wrap(self.queue), self.queue.url),
            Secrets(wrap(self.secretsmanager)),
            standings=StandingStore(dynamodb, "standings", wait=_no_wait),
            mailer=Mailer(wrap(self.ses), "optin"),
            identities=Identities(wrap(self.ses)),
            schedules=Schedules(
                wrap(self.scheduler),
                role_arn=STARTS_ROLE_ARN,
                queue_arn=QUEUE_ARN,
                failures_arn=FAILURES_ARN,
                zone=Zone.TOKYO,
            ),
            figures=Figures(dynamodb, "ledger", "events"),
            cases=CaseStore(dynamodb, "cases"),
            received=ReceivedStore(dynamodb, "received"),
            raw_mail=RawMail(wrap(self.s3), INBOUND),
            case_jobs=JobQueue(wrap(self.case_queue), self.case_queue.url),
        )

    def standings(self, wrap: Wrap = unwrapped) -> standings.Deps:
        return standings.Deps(StandingStore(wrap(self.dynamodb), "standings", wait=_no_wait))

    def campaign_sender(self, wrap: Wrap = unwrapped) -> campaign_sender.Deps:
        dynamodb = wrap(self.dynamodb)
        return campaign_sender.Deps(
            CampaignSenderSettings(
                **COMPANY,
                contacts_table="contacts",
                campaigns_table="campaigns",
                ledger_table="ledger",
                link_keys_secret=self.link_keys_arn,
                campaign_queue_url=self.queue.url,
                configuration_set="optin",
                public_url="https://optin.example.jp",
                mail_domain="mail.example.jp",
                eligibility_profile=self.settings["eligibility_profile"],
                settle_seconds=self.settings["settle_seconds"],
                throttle_table="throttle",
                frequency_cap_campaigns=self.settings["frequency_cap_campaigns"],
                frequency_cap_days=self.settings["frequency_cap_days"],
            ),
            ContactStore(dynamodb, "contacts", "", wait=_no_wait),
            CampaignStore(dynamodb, "campaigns"),
            Ledger(dynamodb, "ledger", "contacts"),
            JobQueue(wrap(self.queue), self.queue.url),
            Mailer(
                wrap(self.ses),
                "optin",
                clock=lambda: self.clock.now().timestamp(),
                sleep=_no_wait,
            ),
            Pace(dynamodb, "throttle", self.clock.now),
            Secrets(wrap(self.secretsmanager)),
            self.clock.now,
            self.clock.sleep,
        )

    def ses_feedback(self, wrap: Wrap = unwrapped) -> ses_feedback.Deps:
        dynamodb = wrap(self.dynamodb)
        return ses_feedback.Deps(
            SesFeedbackSettings(
                contacts_table="contacts",
                events_table="events",
                campaigns_table="campaigns",
                ledger_table="ledger",
                contact_key_secret=self.contact_key_arn,
                configuration_set="optin",
                mail_domain="mail.example.jp",
                soft_bounces=3,
                soft_bounce_days=30,
                bounces_per_thousand=50,
                complaints_per_thousand=1,
                reputation_minimum=100,
            ),
            ContactStore(dynamodb, "contacts", "events", wait=_no_wait),
            CampaignStore(dynamodb, "campaigns"),
            Ledger(dynamodb, "ledger"),
            Figures(dynamodb, "ledger", "events"),
            Secrets(wrap(self.secretsmanager)),
        )

    def mail_intake(self, wrap: Wrap = unwrapped) -> mail_intake.Deps:
        dynamodb = wrap(self.dynamodb)
        return mail_intake.Deps(
            MailIntakeSettings(
                contacts_table="contacts",
                events_table="events",
                cases_table="cases",
                received_table="received",
                inbound_bucket=INBOUND,
                contact_key_secret=self.contact_key_arn,
                link_keys_secret=self.link_keys_arn,
                case_queue_url=self.case_queue.url,
                mail_domain=MAIL_DOMAIN,
                case_business_days=8,
                days_off=DAYS_OFF,
                received_days=400,
                soft_bounces=3,
                soft_bounce_days=30,
            ),
            ContactStore(dynamodb, "contacts", "events", wait=_no_wait),
            CaseStore(dynamodb, "cases"),
            ReceivedStore(dynamodb, "received"),
            RawMail(wrap(self.s3), INBOUND),
            JobQueue(wrap(self.case_queue), self.case_queue.url),
            Secrets(wrap(self.secretsmanager)),
        )

    def case_worker(self, wrap: Wrap = unwrapped) -> case_worker.Deps:
        dynamodb = wrap(self.dynamodb)
        rawmail = RawMail(wrap(self.s3), INBOUND)
        return case_worker.Deps(
            CaseWorkerSettings(
                **COMPANY,
                contacts_table="contacts",
                events_table="events",
                cases_table="cases",
                received_table="received",
                throttle_table="throttle",
                inbound_bucket=INBOUND,
                contact_key_secret=self.contact_key_arn,
                link_keys_secret=self.link_keys_arn,
                case_queue_url=self.case_queue.url,
                inbound_failures_url=self.failures_url,
                configuration_set="optin",
                public_url="https://optin.example.jp",
                mail_domain=MAIL_DOMAIN,
                answers_per_hour=self.settings["answers_per_hour"],
            ),
            ContactStore(dynamodb, "contacts", "events", wait=_no_wait),
            CaseStore(dynamodb, "cases"),
            ReceivedStore(dynamodb, "received"),
            rawmail,
            FailedMail(wrap(self.sqs), self.failures_url, rawmail, wait_seconds=0),
            Answers(dynamodb, "throttle"),
            JobQueue(wrap(self.case_queue), self.case_queue.url),
            Mailer(wrap(self.ses), "optin", sleep=_no_wait),
            Secrets(wrap(self.secretsmanager)),
            self.clock.now,
        )

    def case_link(self, wrap: Wrap = unwrapped) -> case_link.Deps:
        dynamodb = wrap(self.dynamodb)
        return case_link.Deps(
            CaseLinkSettings(
                **COMPANY,
                contacts_table="contacts",
                events_table="events",
                cases_table="cases",
                campaigns_table="campaigns",
                ledger_table="ledger",
                received_table="received",
                link_keys_secret=self.link_keys_arn,
                case_queue_url=self.case_queue.url,
                erasure_runs_by_itself=self.settings["erasure_runs_by_itself"],
                eligibility_profile=self.settings["eligibility_profile"],
            ),
            ContactStore(dynamodb, "contacts", "events", wait=_no_wait),
            CaseStore(dynamodb, "cases"),
            CampaignStore(dynamodb, "campaigns"),
            Ledger(dynamodb, "ledger"),
            Figures(dynamodb, "ledger", "events"),
            ReceivedStore(dynamodb, "received"),
            JobQueue(wrap(self.case_queue), self.case_queue.url),
            Secrets(wrap(self.secretsmanager)),
        )

    # --- mail that comes in

    def mail_event(
        self,
        raw: bytes,
        *,
        recipients: Sequence[str] = ("optin@mail.example.jp",),
        sender: str = "hanako.yamada@example.jp",
        key: str = "",
        dmarc: str = "PASS",
        spam: str = "PASS",
        virus: str = "PASS",
    ) -> dict[str, Any]:
        """Put a raw message into the bucket; the queue's notification of it.

        ``sender`` is the envelope's, empty for the null return path.
        """
        self.requests += 1
        key = key or f"object-{self.requests:06d}"
        self.s3.put_object(Bucket=INBOUND, Key=key, Body=raw)
        at = stamp(self.clock.tick())
        notification = {
            "notificationType": "Received",
            "mail": {
                "timestamp": at,
                "source": sender,
                "messageId": key,
                "destination": list(recipients),
            },
            "receipt": {
                "timestamp": at,
                "processingTimeMillis": 400,
                "recipients": list(recipients),
                "spamVerdict": {"status": spam},
                "virusVerdict": {"status": virus},
                "spfVerdict": {"status": dmarc},
                "dkimVerdict": {"status": dmarc},
                "dmarcVerdict": {"status": dmarc},
                "action": {"type": "S3", "bucketName": INBOUND, "objectKey": key},
            },
        }
        event = payload("campaign_sender")
        event["Records"][0] |= {
            "messageId": f"inbound-{self.requests}",
            "body": json.dumps({"Type": "Notification", "Message": json.dumps(notification)}),
        }
        return event

    def mail_in(self, raw: bytes, **how: Any) -> Line:
        """A mail arrives and is taken in (``how``: see ``mail_event``). What became of it."""
        event = self.mail_event(raw, **how)
        answer = mail_intake.handler(event, LambdaContext(), self.mail_intake())
        assert answer == {"batchItemFailures": []}
        key = json.loads(json.loads(event["Records"][0]["body"])["Message"])["mail"]["messageId"]
        [mail_id] = [
            item["mail_id"]["S"]
            for item in self.table("received")
            if key in item.get("object_keys", {"SS": ()})["SS"]
        ]
        return self.received.get(mail_id)

    def work(self, most: int = 50) -> int:
        """The case worker does what is queued, until nothing is. How many jobs that were."""
        for number in range(most):
            message = self.case_queue.receive()
            if message is None:
                return number
            event = payload("campaign_sender")
            event["Records"][0]["body"] = message.body
            answer = case_worker.handler(event, LambdaContext(), self.case_worker())
            assert answer == {"batchItemFailures": []}, message.body
            self.case_queue.delete(message)
        raise AssertionError("the queue does not become empty")

    def sweep(self) -> None:
        """The hourly message, and whatever follows from it."""
        JobQueue(self.case_queue, self.case_queue.url).put([CaseJob(sweep=True)])  # type: ignore[arg-type]
        self.work()

    @property
    def cases(self) -> CaseStore:
        return CaseStore(self.dynamodb, "cases")

    @property
    def received(self) -> ReceivedStore:
        return ReceivedStore(self.dynamodb, "received")

    @property
    def figures(self) -> Figures:
        return Figures(self.dynamodb, "ledger", "events")

    # --- requests, built on events/*.json

    def stamped(self, event: dict[str, Any]) -> dict[str, Any]:
        """As the gateway would hand it over now, under an id of its own."""
        self.requests += 1
        at = self.clock.tick()
        event["requestContext"]["requestId"] = f"request-{self.requests}="
        event["requestContext"]["timeEpoch"] = round(at.timestamp() * 1000)
        return event

    def post(
        self,
        fields: Mapping[str, str] | None = None,
        *,
        form_id: str = MUNICIPAL,
        html: bool = False,
        ip: str = "203.0.113.24",
    ) -> dict[str, Any]:
        """A urlencoded post of a form, by a program unless ``html``."""
        event = self.stamped(payload("form_post"))
        event["pathParameters"] = {"form_id": form_id}
        event["requestContext"]["http"]["sourceIp"] = ip
        event["headers"]["x-forwarded-for"] = ip
        if not html:
            event["headers"]["accept"] = "application/json"
        return with_body(event, urlencode(fields or {}))

    def unsubscribe_event(
        self, name: str, contact: str, campaign: str = "5f2b8c0d9e71"
    ) -> dict[str, Any]:
        """events/unsubscribe_{name}.json with a link made for this contact."""
        event = self.stamped(payload(f"unsubscribe_{name}"))
        event["pathParameters"] = {"token": self.token(contact, campaign)}
        return event

    def staff(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        team: str = "CS",
        query: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        """A staff request of a signed-in member of ``team``."""
        event = self.stamped(payload("staff_contact_lookup"))
        event["rawPath"] = path
        event["requestContext"]["http"] |= {"method": method, "path": path}
        event["pathParameters"] = {"proxy": path[1:]}
        claims = event["requestContext"]["authorizer"]["jwt"]["claims"]
        claims |= {"cognito:groups": f"[{team}]", "username": f"{team.lower()}-someone"}
        del event["body"]
        if query:
            event["queryStringParameters"] = dict(query)
            event["rawQueryString"] = urlencode(query)
        if body is not None:
            event["body"] = body if isinstance(body, str) else json.dumps(body)
        return event

    def written(self, subject: str = "件名", body: str = "本文", **more: Any) -> str:
        """A draft of cs-someone's. Its id."""
        content = {"subject": subject, "body": body, **more}
        return str(self.ask_staff("POST", "/campaigns", content).json["campaign_id"])

    def approved(self, campaign_id: str) -> str:
        """A draft tested, and approved by a colleague of another team. Its id."""
        to = {"to": "tester@mail.example.jp"}
        answer = self.ask_staff("POST", f"/campaigns/{campaign_id}/test", to)
        assert answer.status == 200, answer.text
        self.ses.mails.pop()
        self.ses.untold.pop()
        answer = self.ask_staff("POST", f"/campaigns/{campaign_id}/approve", team="GS")
        assert answer.status == 200, answer.text
        return campaign_id

    def ask_staff(self, method: str, path: str, body: Any = None, **more: Any) -> Answer:
        event = self.staff(method, path, body, **more)
        return Answer.of(staff_api.handler(event, LambdaContext(), self.staff_api()))  # type: ignore[arg-type]

    @cached_property
    def keys(self) -> LinkKeys:
        ring = {name: key.encode() for name, key in LINK_KEYS.items() if name != "current"}
        return LinkKeys(LINK_KEYS["current"], ring)

    def token(self, contact: str, campaign: str = "5f2b8c0d9e71") -> str:
        return sign(Link(contact, campaign), self.keys)

    @contextmanager
    def secret(self, arn: str, ring: Mapping[str, str]) -> Iterator[None]:
        """Another value for a secret, for a while."""
        was = self.secretsmanager.get_secret_value(SecretId=arn)["SecretString"]
        self.secretsmanager.put_secret_value(SecretId=arn, SecretString=json.dumps(ring))
        yield
        self.secretsmanager.put_secret_value(SecretId=arn, SecretString=was)

    # --- people and their history, written as the handlers write it

    @property
    def contacts(self) -> ContactStore:
        return ContactStore(self.dynamodb, "contacts", "events", "throttle", wait=_no_wait)

    @property
    def campaigns(self) -> CampaignStore:
        return CampaignStore(self.dynamodb, "campaigns")

    @property
    def ledger(self) -> Ledger:
        return Ledger(self.dynamodb, "ledger", "contacts")

    def happened(self, email: str, kind: EventKind, **changes: Any) -> Event:
        """Record one fact about an address now."""
        event = fact(id_of(email), kind, self.clock.tick(), email=email, **changes)
        self.contacts.record(event)
        return event

    def confirmed(self, email: str) -> Event:
        """A ticked box, confirmed by an advisor: eligible."""
        opted_in = self.happened(email, EventKind.OPTED_IN)
        self.happened(
            email,
            EventKind.REGISTERED,
            source=Source.STAFF,
            consent_at=opted_in.at,
            details={"submission_id": opted_in.event_id, "operator": "cs-someone"},
        )
        return opted_in

    def under_way(self, campaign_id: str, shards: Sequence[str], **fields: Any) -> Campaign:
        """A campaign that is being sent to these shards of the list; no job is queued."""
        now = self.clock.now()
        values = {"subject": "件名", "body": "本文", "created_by": "cs-someone"} | fields
        draft = Campaign(campaign_id=campaign_id, created_at=now, **values)
        self.campaigns.create(draft)
        sending = replace(draft, status=CampaignStatus.SENDING, started_at=now)
        return self.campaigns.save(draft, sending, open_shards=shards)

    def mails_per_person(self) -> Counter[str]:
        return Counter(mail.recipients[0] for mail in self.ses.mails)


def projected(tables: State) -> dict[str, Contact]:
    """Every contact, rebuilt from nothing but events."""
    histories: dict[str, list[Event]] = {}
    for event in map(event_of, tables["events"]):
        histories.setdefault(event.contact_id, []).append(event)
    return {name: project(name, history) for name, history in histories.items()}


def held(tables: State) -> dict[str, Contact]:
    """Every contact as stored."""
    return {contact.contact_id: contact for contact in map(contact_of, tables["contacts"])}


@dataclass(frozen=True)
class Answer:
    """An HTTP answer, read."""

    status: int
    headers: Mapping[str, str]
    text: str

    @staticmethod
    def of(response: Mapping[str, Any]) -> Answer:
        """Whatever a Lambda returns goes through JSON and UTF-8 on its way."""
        json.dumps(response)
        text = response.get("body") or ""
        text.encode()
        many = response.get("multiValueHeaders") or {}
        headers = {name.lower(): values[0] for name, values in many.items()}
        headers |= {name.lower(): value for name, value in (response.get("headers") or {}).items()}
        return Answer(response["statusCode"], headers, text)

    @property
    def json(self) -> Any:
        return json.loads(self.text)


def fact(contact: str, kind: EventKind, at: datetime, *, email: str = "", **changes: Any) -> Event:
    """An event as a handler would make it."""
    values: dict[str, Any] = {"source": Source.WEB_FORM, "details": {"request_id": str(at)}}
    if kind in {EventKind.OPTED_IN, EventKind.BOX_LEFT_UNTICKED, EventKind.NOTIFIED}:
        address = parse_address(email)
        wording = TextId.NOTICE if kind is EventKind.NOTIFIED else TextId.OPTIN_CHECKBOX
        values |= {
            "source": Source.WEB_FORM if kind is EventKind.NOTIFIED else Source.MUNICIPAL_LP,
            "details": {"form_id": MUNICIPAL, "municipality": "さくら市"},
            "personal": {
                "address": address.used,
                "typed": address.typed,
                "address_kind": address.kind.value,
            },
            "wording": consent.current(wording).wording(Language.JA),
        }
    values |= changes
    return Event(contact, event_id(contact, kind, str(at)), kind, at, **values)


def letter(
    words: str,
    *,
    subject: str = "お願い",
    sender: str = "hanako.yamada@example.jp",
    to: str = "optin@mail.example.jp",
    quoting: str = "",
    **headers: str,
) -> bytes:
    """A mail as a person's program sends it; the same arguments make the same mail."""
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = sender, to, subject
    mail["Date"] = "Tue, 24 Nov 2026 09:40:00 +0900"
    quoted = "".join(f"\n> {line}" for line in quoting.splitlines())
    said = "\x1f".join([words, subject, sender, to, quoting, *headers.values()])
    mail["Message-ID"] = f"<{hashlib.sha256(said.encode()).hexdigest()[:20]}@example.jp>"
    for name, value in headers.items():
        mail[name.replace("_", "-")] = value
    on = "2026年11月20日(金) 10:00 お知らせ <optin@mail.example.jp>:\n" if quoted else ""
    mail.set_content(f"{words}\n\n{on}{quoted}\n")
    return bytes(mail)


def with_body(
    event: dict[str, Any], body: str | bytes, content_type: str | None = None
) -> dict[str, Any]:
    """The event with another body, base64 as the gateway sends anything but plain text."""
    raw = body.encode() if isinstance(body, str) else body
    event["body"] = base64.b64encode(raw).decode()
    event["isBase64Encoded"] = True
    event["headers"]["content-length"] = str(len(raw))
    if content_type is not None:
        event["headers"]["content-type"] = content_type
    return event


@cache
def id_of(email: str) -> str:
    return contact_id(parse_address(email).lookup, CONTACT_KEY.encode())


@cache
def same_shard(count: int) -> tuple[str, ...]:
    """Addresses whose contacts stand in one shard of the mailing list, in the list's order."""
    found = [email for n in range(40 * count) if id_of(email := f"p{n}@example.jp")[0] == "7"]
    return tuple(sorted(found[:count], key=id_of))


def _key(table: str, item: Mapping[str, Any]) -> dict[str, Any]:
    partition, sort, _ = TABLES[table]
    return {name: item[name] for name in (partition, sort) if name}


def _no_wait(_seconds: float) -> None:
    """Tests do not sleep."""


@contextmanager
def small_aws() -> Iterator[World]:
    """moto with the product's tables, secrets and queue."""
    with mock_aws(), quick_transactions(), quick_answers():
        session = boto3.session.Session(
            aws_access_key_id="testing", aws_secret_access_key="testing", region_name=REGION
        )
        dynamodb = session.client("dynamodb")
        for name, (partition, sort, indexes) in TABLES.items():
            _create(dynamodb, name, partition, sort, indexes)
        secrets = session.client("secretsmanager")
        contact_key = secrets.create_secret(Name="contact-key", SecretString=CONTACT_KEY)
        link_keys = secrets.create_secret(Name="link-keys", SecretString=json.dumps(LINK_KEYS))
        sqs = session.client("sqs")
        queue = sqs.create_queue(QueueName="campaign-jobs")
        s3: Any = session.client("s3")
        s3.create_bucket(Bucket=INBOUND, CreateBucketConfiguration={"LocationConstraint": REGION})
        yield World(
            dynamodb,
            secrets,
            sqs,
            session.client("scheduler"),
            s3,
            contact_key["ARN"],
            link_keys["ARN"],
            queue["QueueUrl"],
            sqs.create_queue(QueueName="inbound-failures")["QueueUrl"],
        )


def _create(
    dynamodb: DynamoDBClient,
    name: str,
    partition: str,
    sort: str,
    indexes: Mapping[str, tuple[str, str]],
) -> None:
    used = {partition, sort, *(key for keys in indexes.values() for key in keys)} - {""}
    more: dict[str, Any] = {}
    if indexes:
        more["GlobalSecondaryIndexes"] = [
            {
                "IndexName": index,
                "KeySchema": _schema(*keys),
                "Projection": {"ProjectionType": "ALL"},
            }
            for index, keys in indexes.items()
        ]
    dynamodb.create_table(
        TableName=name,
        KeySchema=_schema(partition, sort),
        AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in sorted(used)],
        BillingMode="PAY_PER_REQUEST",
        **more,
    )


def _schema(partition: str, sort: str) -> list[Any]:
    keys = [{"AttributeName": partition, "KeyType": "HASH"}]
    return keys + ([{"AttributeName": sort, "KeyType": "RANGE"}] if sort else [])
