"""The SES stand-in over the real emulator: roles are obeyed, mail arrives, feedback follows."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import pytest
import requests
from aiohttp import web
from botocore.config import Config as BotoConfig
from botocore.exceptions import ClientError

from local import config as configuration
from local.aws import Aws
from local.config import ACCOUNT, HOST, REGION, Config
from local.emulator import Emulator
from local.mailbox import Mailbox
from local.mailbox.smtp import serve_smtp
from local.ses import Feedback, Ses

IDENTITY = f"arn:aws:ses:{REGION}:{ACCOUNT}:identity/mail.example.jp"
CONFIGURATION_SET = f"arn:aws:ses:{REGION}:{ACCOUNT}:configuration-set/set"
MESSAGE: dict[str, Any] = {
    "FromEmailAddress": "optin@mail.example.jp",
    "ConfigurationSetName": "set",
    "EmailTags": [{"Name": "campaign", "Value": "c1"}],
    "Content": {"Simple": {"Subject": {"Data": "ご案内"}, "Body": {"Text": {"Data": "本文"}}}},
}


def bulk(to: tuple[str, ...]) -> dict[str, Any]:
    content = {"Subject": "{{{name}}}様", "Text": "本文 {{{token}}}", "Html": "<p>{{name}}</p>"}
    return {
        "FromEmailAddress": "optin@mail.example.jp",
        "ConfigurationSetName": "set",
        "DefaultContent": {"Template": {"TemplateContent": content, "TemplateData": "{}"}},
        "BulkEmailEntries": [
            {
                "Destination": {"ToAddresses": [address]},
                "ReplacementEmailContent": {
                    "ReplacementTemplate": {
                        "ReplacementTemplateData": json.dumps({"name": address, "token": "t"})
                    }
                },
                "ReplacementHeaders": [{"Name": "List-Unsubscribe", "Value": f"<{address}>"}],
                "ReplacementTags": [{"Name": "batch", "Value": f"b.{number}"}],
            }
            for number, address in enumerate(to)
        ],
    }


@dataclass
class World:
    config: Config
    aws: Aws
    mailbox: Mailbox
    feedback: Feedback
    account: Callable[..., Any] = dict
    identity: Callable[..., Any] = dict

    def sender(self, *resources: str) -> Callable[..., dict[str, Any]]:
        """`send_email` as a role that may send as these resources, and ask about them, only."""
        actions = ["ses:SendEmail", "ses:SendBulkEmail", "ses:GetEmailIdentity"]
        statement = {"Effect": "Allow", "Action": actions, "Resource": list(resources)}
        whole = {"Effect": "Allow", "Action": "ses:GetAccount", "Resource": "*"}
        trust = {"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "sts:AssumeRole"}
        name = f"role-{len(resources)}"
        role = self.aws.iam.create_role(RoleName=name, AssumeRolePolicyDocument=policy(trust))
        if resources:
            self.aws.iam.put_role_policy(
                RoleName=name, PolicyName="send", PolicyDocument=policy(statement, whole)
            )
        session = boto3.Session("test", "test", region_name=REGION)
        keys = session.client("sts", endpoint_url=self.config.aws_url).assume_role(
            RoleArn=role["Role"]["Arn"], RoleSessionName="test"
        )["Credentials"]
        ses = boto3.Session(
            keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"], REGION
        ).client(
            "sesv2",
            endpoint_url=self.config.ses_url,
            config=BotoConfig(retries={"total_max_attempts": 1, "mode": "standard"}),
        )

        def send(*to: str) -> dict[str, Any]:
            if len(to) > 1:
                return dict(ses.send_bulk_email(**bulk(to)))
            destination: Any = {"ToAddresses": list(to) or ["taro@example.jp"]}
            return dict(ses.send_email(**MESSAGE, Destination=destination))

        self.account = ses.get_account
        self.identity = ses.get_email_identity
        return send

    def events(self) -> list[dict[str, Any]]:
        """What the rule's queue holds by now."""
        url = self.aws.sqs.get_queue_url(QueueName="events")["QueueUrl"]
        found = self.aws.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)
        return [json.loads(message["Body"]) for message in found.get("Messages", [])]


def policy(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


Visit = Callable[[Callable[[World], None]], None]


@pytest.fixture
def visit(tmp_path: Path, apart: Callable[..., Any]) -> Visit:
    """Run a story, which blocks, beside the servers it talks to."""

    async def run(story: Callable[[World], None]) -> None:
        async with world(tmp_path) as here:
            await asyncio.to_thread(story, here)

    return lambda story: apart(run(story))


@asynccontextmanager
async def world(folder: Path) -> AsyncIterator[World]:
    config = configuration.load(state=folder, port=configuration.free_port())
    aws = Aws(config.aws_url)
    mailbox = Mailbox(folder / "mail")
    feedback = Feedback(aws, lambda: datetime.now(UTC))
    emulator = Emulator(config)
    await emulator.start()
    runner = web.AppRunner(Ses(config, aws, feedback).application(), access_log=None)
    try:
        await asyncio.to_thread(prepare, aws)
        await runner.setup()
        await web.TCPSite(runner, HOST, config.ses_port).start()
        work = asyncio.create_task(feedback.work())
        async with await serve_smtp(mailbox, port=config.smtp_out_port):
            yield World(config, aws, mailbox, feedback)
        work.cancel()
    finally:
        await runner.cleanup()
        await emulator.stop()


def prepare(aws: Aws) -> None:
    aws.ses.create_configuration_set(ConfigurationSetName="set")
    aws.ses.create_configuration_set_event_destination(
        ConfigurationSetName="set",
        EventDestinationName="bus",
        EventDestination={
            "Enabled": True,
            "MatchingEventTypes": ["SEND", "DELIVERY", "BOUNCE"],
            "EventBridgeDestination": {
                "EventBusArn": f"arn:aws:events:{REGION}:{ACCOUNT}:event-bus/default"
            },
        },
    )
    aws.sqs.create_queue(QueueName="events")
    aws.events.put_rule(Name="mail", EventPattern=json.dumps({"source": ["aws.ses"]}))
    aws.events.put_targets(
        Rule="mail", Targets=[{"Id": "queue", "Arn": f"arn:aws:sqs:{REGION}:{ACCOUNT}:events"}]
    )


def test_mail_of_a_permitted_role_arrives_and_is_reported(
    tmp_path: Path, apart: Callable[..., Any]
) -> None:
    def story(here: World) -> None:
        send = here.sender(IDENTITY, CONFIGURATION_SET)
        message_id = send()["MessageId"]
        send("bounce+a1@simulator.amazonses.com")
        (mail,) = here.mailbox.newest_first()
        assert (mail.to, mail.subject, mail.text.strip()) == ("taro@example.jp", "ご案内", "本文")
        assert message_id in mail.headers["Message-ID"]

    async def run() -> list[dict[str, Any]]:
        async with world(tmp_path) as here:
            await asyncio.to_thread(story, here)
            await here.feedback.drain(20)
            return await asyncio.to_thread(here.events)

    events = apart(run())
    told = sorted(
        (event["detail"]["mail"]["destination"][0], event["detail-type"]) for event in events
    )
    assert told == [
        ("bounce+a1@simulator.amazonses.com", "Email Bounced"),
        ("bounce+a1@simulator.amazonses.com", "Email Sent"),
        ("taro@example.jp", "Email Delivered"),
        ("taro@example.jp", "Email Sent"),
    ]
    assert all(event["detail"]["mail"]["tags"]["campaign"] == ["c1"] for event in events)


@pytest.mark.parametrize("resources", [(), (IDENTITY,)])
def test_a_role_that_may_not_send_is_denied(visit: Visit, resources: tuple[str, ...]) -> None:
    def story(here: World) -> None:
        with pytest.raises(ClientError, match="AccessDenied"):
            here.sender(*resources)()
        assert list(here.mailbox.newest_first()) == []

    visit(story)


def test_failures_can_be_asked_for(visit: Visit) -> None:
    def story(here: World) -> None:
        send = here.sender(IDENTITY, CONFIGURATION_SET)
        wanted: Any = {"fail_next": [{"status": 429, "type": "TooManyRequestsException"}]}
        requests.post(f"{here.config.ses_url}/_control", json=wanted, timeout=10)
        with pytest.raises(ClientError, match="TooManyRequestsException"):
            send()
        send()
        assert len(list(here.mailbox.newest_first())) == 1

    visit(story)


def test_bulk_mail_arrives_with_each_recipients_own_headers_and_is_reported(
    tmp_path: Path, apart: Callable[..., Any]
) -> None:
    people = ("taro@example.jp", "hanako@example.jp")

    def story(here: World) -> None:
        send = here.sender(IDENTITY, CONFIGURATION_SET)
        control = f"{here.config.ses_url}/_control"
        wanted: Any = {"status_next": ["", "ACCOUNT_THROTTLED"], "quota": {"Max24HourSend": 3}}
        requests.post(control, json=wanted, timeout=10)
        first = send(*people)["BulkEmailEntryResults"]
        assert [result["Status"] for result in first] == ["SUCCESS", "ACCOUNT_THROTTLED"]
        (mail,) = here.mailbox.newest_first()
        assert (mail.to, mail.subject) == ("taro@example.jp", "taro@example.jp様")
        assert mail.headers["List-Unsubscribe"] == "<taro@example.jp>"
        assert first[0]["MessageId"] in mail.headers["Message-ID"]
        assert here.account()["SendQuota"] == {
            "Max24HourSend": 3, "MaxSendRate": 50, "SentLast24Hours": 1,
        }  # fmt: skip
        send(*people)
        full = send(*people)["BulkEmailEntryResults"]
        assert {result["Status"] for result in full} == {"ACCOUNT_DAILY_QUOTA_EXCEEDED"}

    async def run() -> list[dict[str, Any]]:
        async with world(tmp_path) as here:
            await asyncio.to_thread(story, here)
            await here.feedback.drain(20)
            return await asyncio.to_thread(here.events)

    events = apart(run())
    assert len(events) == 6
    assert {event["detail"]["mail"]["tags"]["batch"][0] for event in events} == {"b.0", "b.1"}


def test_a_role_that_may_not_send_in_bulk_is_denied(visit: Visit) -> None:
    def story(here: World) -> None:
        send = here.sender()
        with pytest.raises(ClientError, match="AccessDenied"):
            send("taro@example.jp", "hanako@example.jp")
        with pytest.raises(ClientError, match="AccessDenied"):
            here.account()
        assert list(here.mailbox.newest_first()) == []

    visit(story)


def test_a_role_hears_only_of_its_own_identity_and_whether_that_is_verified(
    visit: Visit,
) -> None:
    def story(here: World) -> None:
        here.sender(IDENTITY)

        def verified() -> bool:
            found = here.identity(EmailIdentity="mail.example.jp")
            assert (found["DkimAttributes"]["Status"] == "SUCCESS") is (
                found["VerifiedForSendingStatus"]
            )
            return bool(found["VerifiedForSendingStatus"])

        assert verified()
        with pytest.raises(ClientError, match="AccessDenied"):
            here.identity(EmailIdentity="other.example.jp")
        control = f"{here.config.ses_url}/_control"
        requests.post(control, json={"verified": False}, timeout=10)
        assert not verified()
        requests.post(control, json={"quota": {"MaxSendRate": 1}}, timeout=10)
        assert not verified()
        requests.post(control, json={"verified": True}, timeout=10)
        assert verified()
        here.sender()
        with pytest.raises(ClientError, match="AccessDenied"):
            here.identity(EmailIdentity="mail.example.jp")

    visit(story)
