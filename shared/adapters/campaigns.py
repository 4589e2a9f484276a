"""Campaigns in DynamoDB: saved only if they are still what was read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from shared.adapters.attributes import from_item, to_item
from shared.adapters.aws import error_code, translated
from shared.domain.audience import Audience
from shared.domain.campaigns import Campaign, CampaignStatus, PauseReason
from shared.domain.errors import Conflict, NotFound
from shared.domain.events import Source, parse_stamp, stamp

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


@dataclass
class CampaignStore:
    """Campaigns. What may follow what is ``lifecycle``'s; here it is only kept."""

    client: DynamoDBClient
    table: str

    def create(self, campaign: Campaign) -> None:
        """Store a new one; storing the same id twice changes nothing."""
        with translated("campaigns"):
            try:
                self.client.put_item(
                    TableName=self.table,
                    Item=_item(campaign),
                    ConditionExpression="attribute_not_exists(campaign_id)",
                )
            except ClientError as error:
                if error_code(error) != "ConditionalCheckFailedException":
                    raise

    def get(self, campaign_id: str) -> Campaign:
        """One campaign.

        Raises:
            NotFound: no such campaign.
            Unavailable: the store could not be asked.
        """
        with translated("campaigns"):
            answer = self.client.get_item(
                TableName=self.table,
                Key={"campaign_id": {"S": campaign_id}},
                ConsistentRead=True,
            )
        if "Item" not in answer:
            raise NotFound(
                "unknown_campaign", "この配信は見つかりません。", "There is no such campaign."
            )
        return _campaign(answer["Item"])

    def all(self) -> list[Campaign]:
        """Every campaign, the newest first."""
        campaigns: list[Campaign] = []
        start: dict[str, Any] = {}
        while True:
            with translated("campaigns"):
                answer = self.client.scan(TableName=self.table, **start)
            campaigns += map(_campaign, answer["Items"])
            if "LastEvaluatedKey" not in answer:
                return sorted(campaigns, key=lambda c: c.created_at, reverse=True)
            start = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}

    def save(
        self, read: Campaign, changed: Campaign, *, open_shards: Iterable[str] | None = None
    ) -> Campaign:
        """Save ``changed`` if the stored one is still ``read``; with its shards where it starts.

        Saving what is already stored (a retry after a lost answer) succeeds.

        Raises:
            Conflict: somebody saved something else meanwhile.
            Unavailable: the store could not be asked.
        """
        if changed == read and open_shards is None:
            return read
        saved = replace(changed, version=read.version + 1)
        plain = _plain(saved)
        del plain["campaign_id"]
        if open_shards is not None:
            plain["open_shards"] = frozenset(open_shards)
        names = {f"#{name}": name for name in plain}
        with translated("campaigns"):
            try:
                self.client.update_item(
                    TableName=self.table,
                    Key={"campaign_id": {"S": read.campaign_id}},
                    UpdateExpression="SET " + ", ".join(f"#{name} = :{name}" for name in plain),
                    ConditionExpression="#version = :read",
                    ExpressionAttributeNames=names,
                    ExpressionAttributeValues={
                        **to_item({f":{name}": value for name, value in plain.items()}),
                        ":read": {"N": str(read.version)},
                    },
                )
            except ClientError as error:
                if error_code(error) != "ConditionalCheckFailedException":
                    raise
                if self.get(read.campaign_id) != saved:
                    raise Conflict(
                        "changed_meanwhile",
                        "ほかの担当者が先に変更しました。内容を確認して、もう一度お試しください。",
                        "Somebody else changed this meanwhile. Please look again.",
                    ) from error
        return saved

    def open_shards(self, campaign_id: str) -> list[str]:
        """The shards of the mailing list that are not through yet."""
        with translated("campaigns"):
            answer = self.client.get_item(
                TableName=self.table,
                Key={"campaign_id": {"S": campaign_id}},
                ProjectionExpression="open_shards",
                ConsistentRead=True,
            )
        return sorted(answer.get("Item", {}).get("open_shards", {}).get("SS", []))

    def left(self, campaign_id: str) -> list[str]:
        """As ``open_shards``. None left: whoever closed the last one did not get to say so."""
        shards = self.open_shards(campaign_id)
        if not shards:
            self._finish(campaign_id)
        return shards

    def close_shard(self, campaign_id: str, shard: str) -> None:
        """One shard is through; the last one makes the campaign done. Repeating is harmless."""
        with translated("campaigns"):
            answer = self.client.update_item(
                TableName=self.table,
                Key={"campaign_id": {"S": campaign_id}},
                UpdateExpression="DELETE open_shards :shard",
                ExpressionAttributeValues={":shard": {"SS": [shard]}},
                ReturnValues="ALL_NEW",
            )
        if "open_shards" not in answer["Attributes"]:
            self._finish(campaign_id)

    def _finish(self, campaign_id: str) -> None:
        """Done, where nothing is left to send. Repeating is harmless."""
        with translated("campaigns"):
            try:
                self.client.update_item(
                    TableName=self.table,
                    Key={"campaign_id": {"S": campaign_id}},
                    UpdateExpression="SET #s = :done ADD version :one",
                    ConditionExpression="#s IN (:sending, :paused) "
                    "AND attribute_not_exists(open_shards)",
                    ExpressionAttributeNames={"#s": "status"},
                    ExpressionAttributeValues={
                        ":done": {"S": CampaignStatus.DONE},
                        ":sending": {"S": CampaignStatus.SENDING},
                        ":paused": {"S": CampaignStatus.PAUSED},
                        ":one": {"N": "1"},
                    },
                )
            except ClientError as error:
                if error_code(error) != "ConditionalCheckFailedException":
                    raise


def _item(campaign: Campaign) -> dict[str, Any]:
    return to_item(_plain(campaign))


_BLANK = Campaign("", "", "", "", datetime.min.replace(tzinfo=UTC))


def _plain(campaign: Campaign) -> dict[str, object]:
    return {
        "campaign_id": campaign.campaign_id,
        "subject": campaign.subject,
        "body": campaign.body,
        "text": campaign.text,
        "audience": _plain_audience(campaign.audience),
        "created_by": campaign.created_by,
        "created_at": stamp(campaign.created_at),
        "edited_by": campaign.edited_by,
        "authors": sorted(campaign.authors),
        "status": campaign.status,
        "tested_hash": campaign.tested_hash,
        "approved_by": campaign.approved_by,
        "approved_at": _stamp(campaign.approved_at),
        "scheduled_for": _stamp(campaign.scheduled_for),
        "started_at": _stamp(campaign.started_at),
        "pause_reason": campaign.pause_reason or "",
        "cloned_from": campaign.cloned_from,
        "version": campaign.version,
    }


def _plain_audience(audience: Audience) -> dict[str, object]:
    return {
        "sources": sorted(audience.sources),
        "form_ids": sorted(audience.form_ids),
        "municipalities": sorted(audience.municipalities),
        "registered_from": _stamp(audience.registered_from),
        "registered_until": _stamp(audience.registered_until),
        "received": audience.received,
        "not_received": audience.not_received,
    }


def _campaign(item: Mapping[str, Any]) -> Campaign:
    # What older versions did not know yet is as in a new campaign.
    plain = {**_plain(_BLANK), **from_item(item)}
    return Campaign(
        campaign_id=plain["campaign_id"],
        subject=plain["subject"],
        body=plain["body"],
        text=plain["text"],
        audience=_audience(plain["audience"]),
        created_by=plain["created_by"],
        created_at=parse_stamp(plain["created_at"]),
        edited_by=plain["edited_by"],
        authors=frozenset(plain["authors"]),
        status=CampaignStatus(plain["status"]),
        tested_hash=plain["tested_hash"],
        approved_by=plain["approved_by"],
        approved_at=_moment(plain["approved_at"]),
        scheduled_for=_moment(plain["scheduled_for"]),
        started_at=_moment(plain["started_at"]),
        pause_reason=PauseReason(plain["pause_reason"]) if plain["pause_reason"] else None,
        cloned_from=plain["cloned_from"],
        version=plain["version"],
    )


def _audience(plain: Mapping[str, Any]) -> Audience:
    return Audience(
        sources=frozenset(map(Source, plain["sources"])),
        form_ids=frozenset(plain["form_ids"]),
        municipalities=frozenset(plain["municipalities"]),
        registered_from=_moment(plain["registered_from"]),
        registered_until=_moment(plain["registered_until"]),
        received=plain["received"],
        not_received=plain["not_received"],
    )


def _stamp(at: datetime | None) -> str:
    return stamp(at) if at else ""


def _moment(text: str) -> datetime | None:
    return parse_stamp(text) if text else None
