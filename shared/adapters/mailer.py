"""Handing mails to SES, with an answer for each that tells what is known about its fate.

And asking it whether it would take them: ``Identities``.
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from shared.adapters.aws import error_code, translated
from shared.domain.errors import Unavailable

if TYPE_CHECKING:
    from mypy_boto3_sesv2 import SESV2Client
    from mypy_boto3_sesv2.type_defs import GetAccountResponseTypeDef

    from shared.mail.compose import Message, Recipient
    from shared.mail.template import Template

_UNLIMITED = 10**12
_QUOTA_SECONDS = 60.0
_VERIFIED_SECONDS = 300.0
# Of GetAccount, which SES answers once a second, and all senders of a campaign begin at once.
_TRIES = 12


class Fate(StrEnum):
    """What is known after asking SES to send."""

    ACCEPTED = "accepted"
    NOT_NOW = "not_now"  # surely not accepted; may be asked again
    QUOTA = "quota"  # likewise, but not before the 24-hour quota has room
    ACCOUNT = "account"  # likewise, but SES refuses everybody until somebody acts
    REFUSED = "refused"  # surely not accepted; asking again is no use
    FAILED = "failed"  # surely not accepted, SES does not say why; worth another try or two
    UNKNOWN = "unknown"  # the answer was lost: only SES knows


_OF_STATUS = {
    "SUCCESS": Fate.ACCEPTED,
    "MESSAGE_REJECTED": Fate.REFUSED,
    "INVALID_PARAMETER": Fate.REFUSED,
    "ACCOUNT_THROTTLED": Fate.NOT_NOW,
    "TRANSIENT_FAILURE": Fate.NOT_NOW,
    "FAILED": Fate.FAILED,
    "ACCOUNT_DAILY_QUOTA_EXCEEDED": Fate.QUOTA,
    "ACCOUNT_SUSPENDED": Fate.ACCOUNT,
    "ACCOUNT_SENDING_PAUSED": Fate.ACCOUNT,
    "CONFIGURATION_SET_SENDING_PAUSED": Fate.ACCOUNT,
    "CONFIGURATION_SET_NOT_FOUND": Fate.ACCOUNT,
    "MAIL_FROM_DOMAIN_NOT_VERIFIED": Fate.ACCOUNT,
    "INVALID_SENDING_POOL_NAME": Fate.ACCOUNT,
    "TEMPLATE_NOT_FOUND": Fate.ACCOUNT,
}
"""Per recipient. A status that is not here says nothing for sure: UNKNOWN."""

_OF_ERROR = {
    "TooManyRequestsException": Fate.NOT_NOW,
    "ThrottlingException": Fate.NOT_NOW,
    "Throttling": Fate.NOT_NOW,
    "LimitExceededException": Fate.QUOTA,
    # These concern one message or recipient, and do not say which.
    "MessageRejected": Fate.REFUSED,
    "BadRequestException": Fate.REFUSED,
}
"""Of a whole call. Any other 4xx (paused account, unverified identity, missing permission)
would fail everybody and must not be held against a person: ACCOUNT."""


@dataclass(frozen=True, slots=True)
class Answer:
    """SES's answer: its message id, or why not."""

    fate: Fate
    message_id: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Quota:
    """What the account may send: mails per second, and mails left of the last 24 hours' quota.

    ``fresh``: asked for just now, not remembered.
    """

    enabled: bool
    rate: float
    left: int
    fresh: bool = True


@dataclass
class Mailer:
    """Sends mails, one copy per recipient."""

    client: SESV2Client
    configuration_set: str
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    _quota: tuple[float, Quota] | None = field(default=None, init=False)

    def quota(self) -> Quota:
        """The account's limits, at most a minute old (SES answers this once a second only).

        Raises:
            Unavailable: SES could not be asked.
        """
        if self._quota is not None and self.clock() - self._quota[0] < _QUOTA_SECONDS:
            known = self._quota[1]
            return Quota(known.enabled, known.rate, known.left, fresh=False)
        account = self._account()
        limits = account["SendQuota"]
        unlimited = limits["Max24HourSend"] < 0
        left = int(limits["Max24HourSend"] - limits["SentLast24Hours"])
        quota = Quota(
            account["SendingEnabled"] and account.get("EnforcementStatus") != "SHUTDOWN",
            limits["MaxSendRate"],
            _UNLIMITED if unlimited else max(left, 0),
        )
        self._quota = (self.clock(), quota)
        return quota

    def _account(self) -> GetAccountResponseTypeDef:
        for _ in range(_TRIES - 1):
            try:
                with translated("mailer"):
                    return self.client.get_account()
            except Unavailable:
                self.sleep(random.uniform(0.5, 1.5))  # noqa: S311 - so that they do not meet again
        with translated("mailer"):
            return self.client.get_account()

    def send_bulk(
        self, sender: str, reply_to: str, template: Template, recipients: Sequence[Recipient]
    ) -> list[Answer]:
        """Hand over up to fifty mails in one call; never raises for what SES or the network does.

        Where SES refuses the whole call for something that may concern one recipient only, it is
        asked again with either half, so that one bad address harms nobody else.
        """
        try:
            answer = self.client.send_bulk_email(
                FromEmailAddress=sender,
                ReplyToAddresses=[reply_to],
                DefaultContent={
                    "Template": {
                        "TemplateContent": {
                            "Subject": template.subject,
                            "Text": template.text,
                            "Html": template.html,
                        },
                        "TemplateData": "{}",
                    }
                },
                BulkEmailEntries=[_entry(recipient) for recipient in recipients],
                ConfigurationSetName=self.configuration_set,
            )
        except ClientError as error:
            whole = _answer_to(error)
            if whole.fate is Fate.REFUSED and len(recipients) > 1:
                half = len(recipients) // 2
                return [
                    *self.send_bulk(sender, reply_to, template, recipients[:half]),
                    *self.send_bulk(sender, reply_to, template, recipients[half:]),
                ]
            return [whole] * len(recipients)
        except BotoCoreError as error:
            return [Answer(Fate.UNKNOWN, reason=type(error).__name__)] * len(recipients)
        found = [
            Answer(
                _OF_STATUS.get(result.get("Status", ""), Fate.UNKNOWN),
                result.get("MessageId", ""),
                "" if result.get("Status") == "SUCCESS" else result.get("Status", "no status"),
            )
            for result in answer["BulkEmailEntryResults"]
        ]
        missing = len(recipients) - len(found)
        return found + [Answer(Fate.UNKNOWN, reason="no result")] * missing

    def send(self, message: Message) -> Answer:
        """Hand over one mail, once; never raises for what SES or the network does."""
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


@dataclass
class Identities:
    """What SES lets this account send as."""

    client: SESV2Client
    clock: Callable[[], float] = time.monotonic
    _verified: dict[str, float] = field(default_factory=dict, init=False)

    def verified(self, domain: str) -> bool:
        """Whether SES sends mail of this domain. Only a yes is remembered, for five minutes.

        Raises:
            Unavailable: SES could not be asked.
        """
        asked = self._verified.get(domain)
        if asked is not None and self.clock() - asked < _VERIFIED_SECONDS:
            return True
        with translated("identity"):
            try:
                found = self.client.get_email_identity(EmailIdentity=domain)
            except ClientError as error:
                if error_code(error) == "NotFoundException":
                    return False
                raise
        verified = found["VerifiedForSendingStatus"]
        if verified:
            self._verified[domain] = self.clock()
        return verified


def _entry(recipient: Recipient) -> Any:
    return {
        "Destination": {"ToAddresses": [recipient.to]},
        "ReplacementEmailContent": {
            "ReplacementTemplate": {
                "ReplacementTemplateData": json.dumps(recipient.data, ensure_ascii=False)
            }
        },
        "ReplacementHeaders": [
            {"Name": name, "Value": value} for name, value in recipient.headers.items()
        ],
        "ReplacementTags": [
            {"Name": name, "Value": value} for name, value in recipient.tags.items()
        ],
    }


def _answer_to(error: ClientError) -> Answer:
    code = error_code(error)
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 500)
    if status >= 500:
        return Answer(Fate.UNKNOWN, reason=code)
    return Answer(_OF_ERROR.get(code, Fate.ACCOUNT), reason=code)
