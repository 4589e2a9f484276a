"""The deployed product as people, programs and staff reach it, by the names of `stack.json`."""

from __future__ import annotations

import json
import re
import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from http.client import HTTPConnection, HTTPMessage
from typing import Any, TypeVar
from urllib.parse import quote, urlencode, urlsplit

import boto3

from local import seed
from local.aws import Aws
from local.config import AWS_KEY

T = TypeVar("T")
Json = dict[str, Any]

BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
URLENCODED = "application/x-www-form-urlencoded"
TESTER = "campaign-tests@example.jp"
WAIT_SECONDS = 60.0
_SUBSCRIBERS = 8  # of one campaign, because a campaign takes a while
FUNCTIONS = (
    "form_intake",
    "unsubscribe",
    "staff_api",
    "campaign_sender",
    "ses_feedback",
    "standings",
    "mail_intake",
    "case_worker",
    "case_link",
    "console",
)


def eventually(check: Callable[[], T | None], what: str, seconds: float = WAIT_SECONDS) -> T:
    """What ``check`` gives once it is no longer empty."""
    until = time.monotonic() + seconds
    while True:
        found = check()
        if found:
            return found
        if time.monotonic() > until:
            raise AssertionError(f"not within {seconds:.0f} s: {what}")
        time.sleep(0.1)


@dataclass(frozen=True)
class Reply:
    """An HTTP answer as it came."""

    status: int
    headers: HTTPMessage
    body: bytes

    @property
    def type(self) -> str:
        return self.headers.get_content_type()

    @property
    def text(self) -> str:
        return self.body.decode()

    def json(self) -> Json:
        found: Json = json.loads(self.body)
        return found

    def problem(self, status: int) -> Json:
        """It is this error, as the contract says errors look (RFC 9457)."""
        assert (self.status, self.type) == (status, "application/problem+json"), self.text
        told = self.json()
        assert told["status"] == status
        assert re.search("[ぁ-ん]", told["detail"]), told
        return told


@dataclass(frozen=True)
class Http:
    """One base address; no redirect is followed, no cookie kept."""

    base: str
    headers: Mapping[str, str] = field(default_factory=dict)

    def send(
        self,
        method: str,
        path: str,
        body: bytes | str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        url = urlsplit(self.base + path)
        connection = HTTPConnection(url.netloc, timeout=30)
        target = url.path + (f"?{url.query}" if url.query else "")
        try:
            connection.request(
                method,
                target,
                body.encode() if isinstance(body, str) else body,
                {**self.headers, **(headers or {})},
            )
            answer = connection.getresponse()
            return Reply(answer.status, answer.headers, answer.read())
        finally:
            connection.close()

    def get(self, path: str, headers: Mapping[str, str] | None = None) -> Reply:
        return self.send("GET", path, headers=headers)

    def post_json(
        self, path: str, content: object, headers: Mapping[str, str] | None = None
    ) -> Reply:
        typed = {"Content-Type": "application/json", **(headers or {})}
        return self.send("POST", path, json.dumps(content), typed)

    def put_json(self, path: str, content: object) -> Reply:
        return self.send("PUT", path, json.dumps(content), {"Content-Type": "application/json"})

    def post_form(
        self, path: str, fields: Mapping[str, str], headers: Mapping[str, str] | None = None
    ) -> Reply:
        typed = {"Content-Type": URLENCODED, **(headers or {})}
        return self.send("POST", path, urlencode(fields), typed)

    def post_multipart(
        self, path: str, fields: Mapping[str, str], headers: Mapping[str, str] | None = None
    ) -> Reply:
        boundary = secrets.token_hex(12)
        parts = "".join(
            f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
            for name, value in fields.items()
        )
        typed = {"Content-Type": f"multipart/form-data; boundary={boundary}", **(headers or {})}
        return self.send("POST", path, f"{parts}--{boundary}--\r\n", typed)


@dataclass(frozen=True)
class Staff(Http):
    """A member of staff with a bearer token, and a colleague who may approve what they write."""

    colleague: Callable[[], Staff] | None = None

    def contact(self, address: str) -> Json | None:
        """Everything held about an address, or None."""
        found = self.post_json("/contacts/lookup", {"email": address})
        assert found.status in (200, 404), found.text
        return found.json() if found.status == 200 else None

    def held(self, address: str) -> Json:
        found = self.contact(address)
        assert found is not None, "nothing is held"
        return found

    def eligible(self, address: str) -> bool:
        verdict: bool = self.held(address)["verdict"]["eligible"]
        return verdict

    def kinds(self, address: str) -> list[str]:
        """What happened to an address, oldest first."""
        return [event["kind"] for event in self.held(address)["history"]]

    def pending(self) -> Iterator[Json]:
        """Every registration that waits for an advisor."""
        after = ""
        while True:
            page = self.get(f"/registrations?status=pending&limit=100&after={quote(after)}").json()
            yield from page["registrations"]
            after = page["next"]
            if not after:
                return

    def confirm(self, address: str) -> Json:
        """Confirm the newest opt-in of an address, as an advisor does."""
        contact = self.held(address)
        submission = [e for e in contact["history"] if e["kind"] == "opted_in"][-1]
        confirmed = self.post_json(
            "/registrations",
            {"contact_id": contact["contact_id"], "submission_id": submission["event_id"]},
        )
        assert confirmed.status == 200, confirmed.text
        return confirmed.json()

    def write_campaign(self, subject: str, body: str = "こんにちは。", **more: object) -> str:
        """A draft; ``more`` is its text part or audience."""
        written = self.post_json("/campaigns", {"subject": subject, "body": body, **more})
        assert written.status == 200, written.text
        campaign_id: str = written.json()["campaign_id"]
        return campaign_id

    def try_out(self, campaign_id: str) -> None:
        """Send its test mail."""
        tested = self.post_json(f"/campaigns/{campaign_id}/test", {"to": TESTER})
        assert tested.status == 200, tested.text

    def approved_campaign(self, subject: str, body: str = "こんにちは。", **more: object) -> str:
        """Write a campaign, test it, and have the colleague approve it."""
        campaign_id = self.write_campaign(subject, body, **more)
        self.try_out(campaign_id)
        assert self.colleague is not None
        self.colleague().act(campaign_id, "approve")
        return campaign_id

    def act(self, campaign_id: str, action: str, **content: object) -> Json:
        """Take a campaign one step on."""
        answer = self.post_json(f"/campaigns/{campaign_id}/{action}", content)
        assert answer.status == 200, answer.text
        return answer.json()

    def show(self, campaign_id: str) -> Json:
        """A campaign with its figures."""
        return self.get(f"/campaigns/{campaign_id}").json()

    def campaign(self, subject: str, body: str = "こんにちは。", **more: object) -> Json:
        """Write a campaign, send it to everybody, and wait until it is done."""
        campaign_id = self.approved_campaign(subject, body, **more)
        self.act(campaign_id, "send")
        return self.done(campaign_id)

    def dry_run(self, audience: Json) -> Json:
        """Whom an audience would reach, and why not the rest."""
        answer = self.post_json("/audience/dry-run", audience)
        assert answer.status == 200, answer.text
        return answer.json()

    def became_of(self, address: str, campaign_id: str) -> Json:
        """Did this person get it, and why, or why not?"""
        path = f"/campaigns/{campaign_id}/recipients/lookup"
        answer = self.post_json(path, {"email": address})
        assert answer.status == 200, answer.text
        return answer.json()

    def done(self, campaign_id: str) -> Json:
        def look() -> Json | None:
            found = self.show(campaign_id)
            return found if found["status"] == "done" else None

        return eventually(look, f"campaign {campaign_id} done")


@dataclass
class Product:
    """The whole stack. What tests type into it is remembered: it must stand in no log."""

    stack: Json
    typed: set[str] = field(default_factory=set)
    since: float = field(default_factory=time.time)
    _staff: dict[str, Staff] = field(default_factory=dict)
    _mailed: list[tuple[str, str]] = field(default_factory=list)

    # ---- who uses it ----

    @cached_property
    def site(self) -> Http:
        """The public HTTP API."""
        return Http(self.stack["public_url"], {"User-Agent": self.note(f"agent-{_unique()}")})

    def staff(self, team: str) -> Staff:
        """Somebody of CS, GS or IT."""
        if team not in self._staff:
            user = self.user(team)
            self._staff[team] = replace(
                self.sign_in(user["username"], user["password"]),
                colleague=lambda: self.staff("GS" if team == "CS" else "CS"),
            )
        return self._staff[team]

    def sign_in(self, username: str, password: str) -> Staff:
        """With a token as the sign-in page would give it."""
        user = seed.User(username, password, team="")
        token = seed.access_token(self.aws, self.output("UserPoolClientId"), user)
        return Staff(self.stack["staff_api_url"], {"Authorization": f"Bearer {token}"})

    def user(self, team: str) -> dict[str, str]:
        """A demo sign-in."""
        user: dict[str, str] = next(u for u in self.stack["users"] if u["team"] == team)
        return user

    # ---- what it is made of ----

    @cached_property
    def aws(self) -> Aws:
        """The stand-in, as its root user."""
        return Aws(self.stack["aws"]["endpoint_url"])

    @cached_property
    def root(self) -> boto3.Session:
        """For the services that ``aws`` has no client of."""
        return boto3.Session(
            aws_access_key_id=AWS_KEY,
            aws_secret_access_key=AWS_KEY,
            region_name=self.stack["aws"]["region"],
        )

    def output(self, name: str) -> str:
        """An output of the stacks by its own name."""
        found: str = next(
            value for key, value in self.stack["outputs"].items() if key.partition(".")[2] == name
        )
        return found

    def function(self, name: str) -> str:
        """The deployed name of ``form_intake`` and so on."""
        return self.output(f"{name.title().replace('_', '')}Function")

    def variables(self, name: str) -> dict[str, str]:
        """A function's environment."""
        config = self.aws.functions.get_function_configuration(FunctionName=self.function(name))
        return dict(config["Environment"]["Variables"])

    def log(self, name: str, since: float | None = None) -> list[str]:
        """A function's log lines since then, or since the tests began."""
        config = self.aws.functions.get_function_configuration(FunctionName=self.function(name))
        return self.log_lines(config["LoggingConfig"]["LogGroup"], since)

    def log_lines(self, group: str, since: float | None = None) -> list[str]:
        pages = self._logs.get_paginator("filter_log_events").paginate(
            logGroupName=group, startTime=int((since or self.since) * 1000)
        )
        return [event["message"] for page in pages for event in page["events"]]

    def log_groups(self) -> list[str]:
        pages = self._logs.get_paginator("describe_log_groups").paginate()
        return [group["logGroupName"] for page in pages for group in page["logGroups"]]

    @cached_property
    def _logs(self) -> Any:
        return self.root.client("logs", endpoint_url=self.stack["aws"]["endpoint_url"])

    # ---- forms and addresses ----

    def form(self, kind: str) -> str:
        """A published form of this kind."""
        form_id: str = next(f["form_id"] for f in self.stack["forms"] if f["kind"] == kind)
        return form_id

    def describe(self, form_id: str) -> Json:
        """A form's own description of itself."""
        return self.site.get(f"/forms/{form_id}", {"Accept": "application/json"}).json()

    def new_form(self, kind: str = "municipal_lp", **more: object) -> str:
        """A form of the test's own, without further fields, made through the staff API."""
        form_id = f"e2e-{_unique()}"
        made = self.staff("GS").post_json(
            "/forms",
            {
                "form_id": form_id,
                "kind": kind,
                "title_ja": "もみじ市 空き家相談",
                "title_en": "Momiji City: advice on vacant houses",
                "municipality": "もみじ市" if kind == "municipal_lp" else "",
                **more,
            },
        )
        assert made.status == 200, made.text
        return form_id

    def address(self, who: str) -> str:
        """An address nobody has used before."""
        return self.note(f"{who}.{_unique()}@example.jp")

    def note(self, text: str) -> str:
        """Remember something typed; whatever the tests enter must not reach a log."""
        self.typed.add(text)
        return text

    def entry(self, form_id: str, address: str, *, ticked: bool | None = None) -> dict[str, str]:
        """What a person would enter: every required field."""
        fields = {
            extra["name"]: self.note(f"見本{_unique()}")
            for extra in self.describe(form_id)["fields"]
            if extra["required"] and extra["name"] != "email"
        }
        box = {"opt_in": "on"} if ticked else {}
        return {**fields, "email": address, **box}

    def submit(self, form_id: str, address: str, *, ticked: bool | None = None) -> Json:
        """Post a form as a program does."""
        posted = self.site.post_form(
            f"/forms/{form_id}", self.entry(form_id, address, ticked=ticked)
        )
        assert posted.status == 201, posted.text
        return posted.json()

    def subscriber(self, who: str) -> str:
        """A new address that may receive campaigns from now on."""
        address = self.address(who)
        self.submit(self.form("web_form"), address)
        return address

    def readers(self, number: int, who: str = "reader") -> tuple[Json, list[str]]:
        """People who may receive campaigns, and the audience that is just them."""
        form_id = self.new_form("web_form")
        addresses = [self.address(who) for _ in range(number)]
        for address in addresses:
            self.submit(form_id, address)
        return {"form_ids": [form_id]}, addresses

    # ---- mail ----

    def mails(self, address: str, campaign: str | None = None) -> list[Json]:
        """What was sent to an address, newest first; of one campaign, by its subject."""
        url = urlsplit(self.stack["mailbox_api"])
        answer = Http(f"{url.scheme}://{url.netloc}").get(f"{url.path}?to={quote(address)}")
        found: list[Json] = json.loads(answer.body)
        return [m for m in found if campaign is None or m["subject"] == campaign]

    def mail(self, address: str, campaign: str) -> Json:
        """The one mail of a campaign to an address."""
        [found] = eventually(lambda: self.mails(address, campaign), f"mail of {campaign}")
        return found

    def wire(self, mail: Json) -> bytes:
        """A mail as it came over the wire."""
        url = urlsplit(mail["raw_url"])
        return Http(f"{url.scheme}://{url.netloc}").get(url.path).body

    @contextmanager
    def slow_mail(self) -> Iterator[None]:
        """SES takes one mail a second meanwhile."""
        self.tell_ses(quota={"MaxSendRate": 1})
        # Fresh processes, before and after: they remember the rate for a minute.
        with settings(self, "campaign_sender", FRESH=_unique()):
            try:
                yield
            finally:
                self.tell_ses(quota={"MaxSendRate": 50})

    def tell_ses(self, **wish: object) -> None:
        """What its stand-in does next; see ``local.ses.server``."""
        url = urlsplit(self.stack["ses_control"])
        assert Http(f"{url.scheme}://{url.netloc}").post_json(url.path, wish).status == 200

    def subscriber_with_link(self) -> tuple[str, str]:
        """A new subscriber and the path of the unsubscribe link mailed to them."""
        if not self._mailed:
            audience, addresses = self.readers(_SUBSCRIBERS, "hanako")
            subject = unique("お知らせ")
            self.staff("CS").campaign(subject, audience=audience)
            self._mailed = [(a, self.link_in(self.mail(a, subject))) for a in addresses]
        return self._mailed.pop()

    def link_in(self, mail: Json) -> str:
        """The path of a mail's https unsubscribe link, as a mailbox provider reads it."""
        found = re.search(r"<(https?://[^>]+)>", mail["headers"]["List-Unsubscribe"])
        assert found is not None
        assert found[1].startswith(self.stack["public_url"])
        return found[1].removeprefix(self.stack["public_url"])


def unique(label: str) -> str:
    """A word nobody has used before."""
    return f"{label} {_unique()}"


def _unique() -> str:
    return secrets.token_hex(6)


# ---- IAM ----


@contextmanager
def without(product: Product, function: str, *actions: str) -> Iterator[None]:
    """The function's role lacks these actions meanwhile."""
    role = role_of(product, function)
    policies = _policies(product, role)
    granted = [statement for policy in policies.values() for statement in policy["Statement"]]
    assert any(set(actions) & _actions(statement) for statement in granted)
    try:
        for name, policy in policies.items():
            kept = [
                {**statement, "Action": sorted(left)}
                for statement in policy["Statement"]
                if (left := _actions(statement) - set(actions))
            ]
            _put(product, role, name, {**policy, "Statement": kept})
        yield
    finally:
        for name, policy in policies.items():
            _put(product, role, name, policy)


def _policies(product: Product, role: str) -> dict[str, Json]:
    iam = product.aws.iam
    found: dict[str, Json] = {}
    for name in iam.list_role_policies(RoleName=role)["PolicyNames"]:
        document: Any = iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
        found[name] = json.loads(document) if isinstance(document, str) else document
    return found


def _put(product: Product, role: str, name: str, document: Json) -> None:
    if document["Statement"]:
        product.aws.iam.put_role_policy(
            RoleName=role, PolicyName=name, PolicyDocument=json.dumps(document)
        )
    else:
        product.aws.iam.delete_role_policy(RoleName=role, PolicyName=name)


def _actions(statement: Json) -> set[str]:
    listed = statement["Action"]
    return {listed} if isinstance(listed, str) else set(listed)


def role_of(product: Product, function: str) -> str:
    """The name of a function's role."""
    config = product.aws.functions.get_function_configuration(
        FunctionName=product.function(function)
    )
    return config["Role"].rpartition("/")[2]


def acting_as(product: Product, function: str) -> AbstractContextManager[boto3.Session]:
    """The function's own rights in the test's hands."""
    return in_role(product, role_of(product, function))


@contextmanager
def in_role(product: Product, role: str) -> Iterator[boto3.Session]:
    """A role's rights in the test's hands: it trusts this account meanwhile."""
    iam = product.aws.iam
    described = iam.get_role(RoleName=role)["Role"]
    trust: Any = described["AssumeRolePolicyDocument"]
    original = trust if isinstance(trust, str) else json.dumps(trust)
    account = described["Arn"].split(":")[4]
    opened = {
        "Version": "2012-10-17",
        "Statement": [
            *json.loads(original)["Statement"],
            {
                "Effect": "Allow",
                "Principal": {"AWS": f"arn:aws:iam::{account}:root"},
                "Action": "sts:AssumeRole",
            },
        ],
    }
    iam.update_assume_role_policy(RoleName=role, PolicyDocument=json.dumps(opened))
    try:
        sts = product.root.client("sts", endpoint_url=product.stack["aws"]["endpoint_url"])
        keys = sts.assume_role(RoleArn=described["Arn"], RoleSessionName="e2e")["Credentials"]
        yield boto3.Session(
            aws_access_key_id=keys["AccessKeyId"],
            aws_secret_access_key=keys["SecretAccessKey"],
            aws_session_token=keys["SessionToken"],
            region_name=product.stack["aws"]["region"],
        )
    finally:
        iam.update_assume_role_policy(RoleName=role, PolicyDocument=original)


@contextmanager
def settings(product: Product, function: str, **changed: str) -> Iterator[None]:
    """The function runs with other environment variables meanwhile."""
    functions, name = product.aws.functions, product.function(function)
    variables = product.variables(function)
    functions.update_function_configuration(
        FunctionName=name, Environment={"Variables": {**variables, **changed}}
    )
    try:
        yield
    finally:
        functions.update_function_configuration(
            FunctionName=name, Environment={"Variables": variables}
        )


# ---- queues ----


@contextmanager
def by_hand(product: Product, function: str) -> Iterator[None]:
    """The function's queue feeds it nothing meanwhile; see ``taken_off`` and ``hand``."""
    functions = product.aws.functions
    [feed] = functions.list_event_source_mappings(FunctionName=product.function(function))[
        "EventSourceMappings"
    ]
    functions.update_event_source_mapping(UUID=feed["UUID"], Enabled=False)
    try:
        yield
    finally:
        functions.update_event_source_mapping(UUID=feed["UUID"], Enabled=True)


@contextmanager
def impatient(product: Product, queue: str) -> Iterator[None]:
    """What fails comes again at once, not after minutes."""
    sqs, url = product.aws.sqs, product.output(queue)
    found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["VisibilityTimeout"])
    before = found["Attributes"]["VisibilityTimeout"]
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "1"})
    try:
        yield
    finally:
        sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": before})


def taken_off(product: Product, queue: str) -> str:
    """The next message of a queue, which is then gone from it."""
    sqs, url = product.aws.sqs, product.output(queue)
    [message] = eventually(
        lambda: sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=1).get("Messages"),
        f"a message on {queue}",
    )
    sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return message["Body"]


def hand(product: Product, function: str, body: str) -> bool:
    """Give it a queue message as Lambda does; whether it is done with it."""
    record = {"messageId": "by-hand", "body": body, "eventSource": "aws:sqs"}
    answer: Any = product.aws.functions.invoke(
        FunctionName=product.function(function), Payload=json.dumps({"Records": [record]}).encode()
    )
    told = json.loads(answer["Payload"].read())
    assert "FunctionError" not in answer, told
    failed = [failure["itemIdentifier"] for failure in told["batchItemFailures"]]
    assert failed in ([], ["by-hand"])
    return not failed
