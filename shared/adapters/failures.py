"""Mail that could not be taken in: notifications in a dead-letter queue, which name the writer."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from email.utils import getaddresses
from typing import TYPE_CHECKING, Any

from shared.adapters.aws import translated
from shared.adapters.rawmail import RawMail

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

_PER_CALL = 10
_MOST_CALLS = 100  # a thousand messages: there, something else is wrong
_HIDDEN_SECONDS = 60  # what was looked at is not delivered again meanwhile


@dataclass
class FailedMail:
    """Usually there is none; then looking for somebody's is one call."""

    client: SQSClient
    url: str
    rawmail: RawMail
    wait_seconds: int = 1  # asks every server of the queue, so that nothing is overlooked

    def remove(self, is_theirs: Callable[[str], bool]) -> None:
        """Delete the messages, and the notifications, whose writer ``is_theirs``.

        Raises:
            Unavailable: not everything is surely removed; doing it again is harmless.
        """
        for _ in range(_MOST_CALLS):
            with translated("failures"):
                answer = self.client.receive_message(
                    QueueUrl=self.url,
                    MaxNumberOfMessages=_PER_CALL,
                    VisibilityTimeout=_HIDDEN_SECONDS,
                    WaitTimeSeconds=self.wait_seconds,
                )
            messages = answer.get("Messages", [])
            if not messages:
                return
            for message in messages:
                writers, key = _read(message.get("Body", ""))
                if any(map(is_theirs, writers)):
                    # The message first: while its notification stands, this is done again.
                    self.rawmail.delete([key] if key else [])
                    with translated("failures"):
                        self.client.delete_message(
                            QueueUrl=self.url, ReceiptHandle=message["ReceiptHandle"]
                        )


def _read(body: str) -> tuple[list[str], str]:
    """Who wrote, and where the message lies; nothing where it is no such notification."""
    try:
        notification: Any = json.loads(json.loads(body)["Message"])
        mail = notification["mail"]
        said = [str(each) for each in mail.get("commonHeaders", {}).get("from") or ()]
        writers = [address for _, address in getaddresses(said)]
        key = str(notification.get("receipt", {}).get("action", {}).get("objectKey", ""))
        return [*writers, str(mail.get("source") or "")], key
    except (ValueError, KeyError, TypeError, AttributeError):
        return [], ""
