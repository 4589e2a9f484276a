"""What a measured sender runs: ``python -m bench.send_probe WHAT RECIPIENTS``. One JSON line."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from email.message import EmailMessage
from functools import cache
from typing import Any

from botocore.config import Config
from botocore.session import get_session

from bench.memory import peak_megabytes
from bench.send import SENDERS
from bench.send_stub import CAMPAIGN, _campaign
from functions import campaign_sender
from shared.adapters.campaigns import _campaign as campaign_of
from shared.adapters.contacts import SHARDS, contact_of
from shared.domain.company import Company
from shared.domain.eligibility import Profile, judge
from shared.domain.links import LinkKeys
from shared.mail.compose import Composer


class Context:
    """Of Lambda's context, what the handler reads."""

    function_name = "bench"
    memory_limit_in_mb = 512
    invoked_function_arn = "arn:aws:lambda:ap-northeast-1:000000000000:function:bench"
    aws_request_id = "bench"

    @staticmethod
    def get_remaining_time_in_millis() -> int:
        return 600_000


def ours() -> None:
    """One sender, shard after shard."""
    deps = campaign_sender._deps()
    for shard in SHARDS:
        _send(shard, deps)


def ours_at_once() -> None:
    """As many senders as the queue feeds, each with a pace of its own."""
    ready = [campaign_sender._deps.__wrapped__() for _ in range(SENDERS)]

    def one(number: int) -> None:
        for shard in SHARDS[number::SENDERS]:
            _send(shard, ready[number])

    with ThreadPoolExecutor(SENDERS) as pool:
        list(pool.map(one, range(SENDERS)))


def _send(shard: str, deps: campaign_sender.Deps) -> None:
    body = json.dumps({"campaign_id": CAMPAIGN, "shard": shard, "after": "", "settling": False})
    record = {"messageId": shard, "body": body, "eventSource": "aws:sqs"}
    answer = campaign_sender.handler({"Records": [record]}, Context, deps)
    if answer["batchItemFailures"]:
        raise AssertionError("the sender failed")


def naive() -> None:
    """Scan all, check each, build an EmailMessage, send it: one by one."""
    dynamodb, ses, composer = _client("dynamodb"), _client("sesv2"), _composer()
    campaign = campaign_of(_campaign())
    start: dict[str, Any] = {}
    while True:
        page = dynamodb.scan(TableName="contacts", **start)
        for item in page["Items"]:
            contact = contact_of(item)
            if not judge(contact, Profile.MANUAL).eligible:
                continue
            message = composer.compose(campaign, contact)
            mail = EmailMessage()
            mail["From"], mail["To"], mail["Subject"] = message.sender, message.to, message.subject
            for name, value in message.headers.items():
                mail[name] = value
            mail.set_content(message.text)
            mail.add_alternative(message.html, subtype="html")
            ses.send_email(Content={"Raw": {"Data": mail.as_bytes()}}, ConfigurationSetName="optin")
        if "LastEvaluatedKey" not in page:
            return
        start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}


def serial() -> None:
    """The least any loop does: one ``send_email`` after the other, nothing checked."""
    ses = _client("sesv2")
    content = {"Simple": {"Subject": {"Data": "x"}, "Body": {"Text": {"Data": "本文"}}}}
    for number in range(int(sys.argv[2])):
        ses.send_email(
            FromEmailAddress="news@example.jp",
            Destination={"ToAddresses": [f"person{number}@example.jp"]},
            Content=content,
        )


@cache
def _client(service: str) -> Any:
    return get_session().create_client(service, config=Config(retries={"total_max_attempts": 1}))


def _composer() -> Composer:
    company = Company("bench", "bench", "bench", "bench")
    return Composer(company, "example.jp", "https://example.jp", LinkKeys("k1", {"k1": b"k" * 64}))


_PROBES: dict[str, Callable[[], None]] = {
    "ours": ours,
    "ours_at_once": ours_at_once,
    "naive": naive,
    "serial": serial,
}


def main() -> None:
    """Run one, and say what it took, less making the clients."""
    campaign_sender._deps()
    for service in ("dynamodb", "sesv2"):
        _client(service)
    wall, cpu = time.perf_counter(), time.process_time()
    _PROBES[sys.argv[1]]()
    result = {
        "seconds": time.perf_counter() - wall,
        "cpu": time.process_time() - cpu,
        "megabytes": peak_megabytes(),
    }
    sys.stderr.write(json.dumps(result) + "\n")


if __name__ == "__main__":
    main()
