"""Who got which campaign, who did not, and why, in DynamoDB.

The ledger holds one line per recipient and is what makes a mail go out once: a line is
written, on condition that none exists and that the contact is still the one that was judged,
in the transaction that claims the recipient.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from shared.adapters.aws import cancellation_reasons, error_code, translated
from shared.adapters.contacts import StaleContactError, shard_prefix
from shared.domain.campaigns import Entry, Outcome
from shared.domain.contact import Contact
from shared.domain.events import parse_stamp, stamp

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


@dataclass
class Ledger:
    """Who got which campaign, who did not, and why."""

    client: DynamoDBClient
    table: str
    contacts_table: str = ""

    def claim(self, judged: Contact, campaign_id: str, now: datetime) -> Entry | None:
        """Claim a recipient that was judged eligible. None where the claim is ours.

        The transaction holds the contact to the version that was judged, so a refusal that
        was committed before it always prevents the mail.

        Returns:
            The existing entry where the recipient has one.

        Raises:
            StaleContactError: the contact changed since it was judged.
            Unavailable: the store could not be asked, or the claim met another writer.
        """
        line = _entry_item(Entry(campaign_id, judged.contact_id, Outcome.CLAIMED, now))
        return self._claim(
            judged,
            {
                "Put": {
                    "TableName": self.table,
                    "Item": line,
                    "ConditionExpression": "attribute_not_exists(contact_id)",
                    "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
                }
            },
        )

    def reclaim(self, judged: Contact, held: Entry, now: datetime) -> Entry | None:
        """Take over an entry that is surely not with SES. As ``claim`` otherwise."""
        return self._claim(
            judged,
            {
                "Update": {
                    "TableName": self.table,
                    "Key": _entry_key(held.campaign_id, held.contact_id),
                    "UpdateExpression": "SET outcome = :claimed, #at = :now",
                    "ConditionExpression": "outcome = :was AND #at = :then",
                    "ExpressionAttributeNames": {"#at": "at"},
                    "ExpressionAttributeValues": {
                        ":claimed": {"S": Outcome.CLAIMED},
                        ":now": {"S": stamp(now)},
                        ":was": {"S": held.outcome},
                        ":then": {"S": stamp(held.at)},
                    },
                    "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
                }
            },
        )

    def _claim(self, judged: Contact, write: dict[str, Any]) -> Entry | None:
        unchanged = {
            "ConditionCheck": {
                "TableName": self.contacts_table,
                "Key": {"contact_id": {"S": judged.contact_id}},
                "ConditionExpression": "version = :judged",
                "ExpressionAttributeValues": {":judged": {"N": str(judged.version)}},
            }
        }
        with translated("ledger"):
            try:
                self.client.transact_write_items(TransactItems=[unchanged, write])  # type: ignore[list-item]
            except ClientError as error:
                if error_code(error) != "TransactionCanceledException":
                    raise
                contact, entry = cancellation_reasons(error)
                if entry.get("Code") == "ConditionalCheckFailed":
                    return _entry_of(entry["Item"])
                if contact.get("Code") == "ConditionalCheckFailed":
                    raise StaleContactError from error
                raise
        return None

    def skip(self, campaign_id: str, contact_id: str, reason: str, now: datetime) -> None:
        """Record why a recipient got nothing, unless the ledger already says something."""
        self._put_if_new(Entry(campaign_id, contact_id, Outcome.SKIPPED, now, reason))

    def _put_if_new(self, entry: Entry) -> None:
        with translated("ledger"):
            try:
                self.client.put_item(
                    TableName=self.table,
                    Item=_entry_item(entry),
                    ConditionExpression="attribute_not_exists(contact_id)",
                )
            except ClientError as error:
                if error_code(error) != "ConditionalCheckFailedException":
                    raise

    def settle(
        self,
        campaign_id: str,
        contact_id: str,
        outcome: Outcome,
        *,
        reason: str = "",
        message_id: str = "",
    ) -> None:
        """Record an outcome of a claimed recipient. What SES has sent stays sent.

        An entry that is not (or no longer) open is left as it is: a duplicate or late answer
        is harmless.
        """
        with translated("ledger"):
            try:
                self.client.update_item(
                    TableName=self.table,
                    Key=_entry_key(campaign_id, contact_id),
                    UpdateExpression="SET outcome = :outcome, reason = :reason, message_id = :id",
                    ConditionExpression="outcome IN (:claimed, :retry)",
                    ExpressionAttributeValues={
                        ":outcome": {"S": outcome},
                        ":reason": {"S": reason},
                        ":id": {"S": message_id},
                        ":claimed": {"S": Outcome.CLAIMED},
                        ":retry": {"S": Outcome.RETRY},
                    },
                )
            except ClientError as error:
                if error_code(error) != "ConditionalCheckFailedException":
                    raise

    def recipients(self, campaign_id: str) -> Iterator[Entry]:
        """Every ledger line of a campaign."""
        yield from self._query({"KeyConditionExpression": "campaign_id = :v"}, campaign_id)

    def open_entries(self, campaign_id: str, shard: str) -> Iterator[Entry]:
        """Lines of one mailing-list shard that have no outcome yet."""
        query = {
            "KeyConditionExpression": "campaign_id = :v AND begins_with(contact_id, :digit)",
            "FilterExpression": "outcome IN (:claimed, :retry)",
        }
        values = {
            ":digit": {"S": shard_prefix(shard)},
            ":claimed": {"S": Outcome.CLAIMED},
            ":retry": {"S": Outcome.RETRY},
        }
        yield from self._query(query, campaign_id, values)

    def of_contact(self, contact_id: str) -> Iterator[Entry]:
        """Every campaign that reached a contact or passed it by, and why."""
        yield from self._query(
            {"IndexName": "by_contact", "KeyConditionExpression": "contact_id = :v"}, contact_id
        )

    def _query(
        self, query: dict[str, Any], value: str, more: Mapping[str, Any] | None = None
    ) -> Iterator[Entry]:
        start: dict[str, Any] = {}
        while True:
            with translated("ledger"):
                answer = self.client.query(
                    TableName=self.table,
                    ExpressionAttributeValues={":v": {"S": value}, **(more or {})},
                    **query,
                    **start,
                )
            yield from map(_entry_of, answer["Items"])
            if "LastEvaluatedKey" not in answer:
                return
            start = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}


def _entry_key(campaign_id: str, contact_id: str) -> dict[str, Any]:
    return {"campaign_id": {"S": campaign_id}, "contact_id": {"S": contact_id}}


def _entry_item(entry: Entry) -> dict[str, Any]:
    return {
        **_entry_key(entry.campaign_id, entry.contact_id),
        "outcome": {"S": entry.outcome},
        "at": {"S": stamp(entry.at)},
        "reason": {"S": entry.reason},
        "message_id": {"S": entry.message_id},
    }


def _entry_of(item: Mapping[str, Any]) -> Entry:
    return Entry(
        campaign_id=item["campaign_id"]["S"],
        contact_id=item["contact_id"]["S"],
        outcome=Outcome(item["outcome"]["S"]),
        at=parse_stamp(item["at"]["S"]),
        reason=item["reason"]["S"],
        message_id=item["message_id"]["S"],
    )
