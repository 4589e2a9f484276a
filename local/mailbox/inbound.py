"""Mail to the product goes the way SES brings it: into the bucket, then word of it to the topic."""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime

from local.aws import Aws
from local.mailbox.receipt import Receipt, judge, notification, stamped

MAILBOXES = ("optin", "reply", "stop")
_DEPLOYING = 300  # seconds that mail waits for a first deployment


class Inbound:
    """SES's receipt rule, which the emulator does not have."""

    def __init__(self, aws: Aws, domain: str) -> None:
        self._aws = aws
        self._domain = domain
        self._bucket = ""
        self._topic = ""
        self._ready = asyncio.Event()

    def open_to(self, *, bucket: str, topic: str) -> None:
        """The product is deployed: from now on mail is delivered."""
        self._bucket = bucket
        self._topic = topic
        self._ready.set()

    def accepts(self, address: str) -> bool:
        """Whether the rule names it; a label after a plus sign may follow, as with SES."""
        local, _, domain = address.lower().rpartition("@")
        return domain == self._domain and local.partition("+")[0] in MAILBOXES

    async def take(self, raw: bytes, sender: str, recipients: Sequence[str]) -> None:
        """Deliver one mail. Whatever fails is raised: its sender shall try again."""
        await asyncio.wait_for(self._ready.wait(), _DEPLOYING)
        await asyncio.to_thread(self._deliver, raw, sender, recipients)

    def _deliver(self, raw: bytes, sender: str, recipients: Sequence[str]) -> None:
        key = secrets.token_hex(20)
        receipt = Receipt(key, datetime.now(UTC), sender, recipients, judge(raw, sender))
        mail = stamped(raw, receipt)
        self._aws.s3.put_object(Bucket=self._bucket, Key=key, Body=mail)
        word = notification(mail, receipt, bucket=self._bucket, key=key, topic=self._topic)
        self._aws.sns.publish(
            TopicArn=self._topic,
            Subject="Amazon SES Email Receipt Notification",
            Message=json.dumps(word),
        )
