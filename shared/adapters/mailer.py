"""Handing a mail to SES, with an answer that tells what is known about its fate."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from shared.adapters.aws import error_code

if TYPE_CHECKING:
    from mypy_boto3_sesv2 import SESV2Client

    from shared.mail.compose import Message

_THROTTLED = frozenset({"TooManyRequestsException", "ThrottlingException", "Throttling"})
# What concerns this one message or recipient. Anything else 4xx (paused account, unverified
# identity, missing permission) would fail everybody and must not be held against a person.
_REFUSED = frozenset({"MessageRejected", "BadRequestException"})


class Fate(StrEnum):
    """What is known after asking SES to send."""

    ACCEPTED = "accepted"
    NOT_NOW = "not_now"  # surely not accepted; may be asked again
    REFUSED = "refused"  # surely not accepted; asking again is no use
    UNKNOWN = "unknown"  # the answer was lost: only SES knows


@dataclass(frozen=True, slots=True)
class Answer:
    """SES's answer: its message id, or why not."""

    fate: Fate
    message_id: str = ""
    reason: str = ""


@dataclass
class Mailer:
    """Sends one mail to one recipient."""

    client: SESV2Client
    configuration_set: str

    def send(self, message: Message) -> Answer:
        """Hand over a mail, once; never raises for what SES or the network does."""
        try:
            answer = self.client.send_email(
                FromEmailAddress=message.sender,
                ReplyToAddresses=[message.reply_to],
                Destination={"ToAddresses": [message.to]},
                Content={
                    "Simple": {
                        "Subject": {"Data": message.subject, "Charset": "UTF-8"},
                        "Body": {
                            "Text": {"Data": message.text, "Charset": "UTF-8"},
                            "Html": {"Data": message.html, "Charset": "UTF-8"},
                        },
                        "Headers": [
                            {"Name": name, "Value": value}
                            for name, value in message.headers.items()
                        ],
                    }
                },
                ConfigurationSetName=self.configuration_set,
                EmailTags=[{"Name": name, "Value": value} for name, value in message.tags.items()],
            )
        except ClientError as error:
            return _answer_to(error)
        except BotoCoreError as error:
            return Answer(Fate.UNKNOWN, reason=type(error).__name__)
        return Answer(Fate.ACCEPTED, message_id=answer["MessageId"])


def _answer_to(error: ClientError) -> Answer:
    code = error_code(error)
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 500)
    if code in _THROTTLED:
        return Answer(Fate.NOT_NOW, reason=code)
    if code in _REFUSED:
        return Answer(Fate.REFUSED, reason=code)
    if status >= 500:
        return Answer(Fate.UNKNOWN, reason=code)
    return Answer(Fate.NOT_NOW, reason=code)
