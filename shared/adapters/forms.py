"""Form definitions in DynamoDB, with a short cache for the hot path."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from shared.adapters.attributes import from_item, to_item
from shared.adapters.aws import error_code, translated
from shared.domain.errors import Conflict, NotFound
from shared.domain.forms import ExtraField, Form, FormKind, check_form, is_form_id

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

CACHE_FOR = timedelta(seconds=60)


@dataclass
class FormStore:
    """Reads and saves form definitions."""

    client: DynamoDBClient
    table: str
    _cache: dict[str, tuple[datetime, Form]] = field(default_factory=dict)

    def get(self, form_id: str, now: datetime | None = None) -> Form:
        """A published form; with ``now``, one read up to a minute ago will do.

        Raises:
            NotFound: no such form.
            Unavailable: the store could not be asked.
        """
        held = self._cache.get(form_id)
        if now is not None and held is not None and now - held[0] < CACHE_FOR:
            return held[1]
        form = self._read(form_id)
        if now is not None:
            self._cache[form_id] = (now, form)
        return form

    def _read(self, form_id: str) -> Form:
        # DynamoDB refuses a key that is too long, which is no failure of ours.
        if is_form_id(form_id):
            with translated("forms"):
                answer = self.client.get_item(TableName=self.table, Key={"form_id": {"S": form_id}})
            if "Item" in answer:
                return form_of(answer["Item"])
        raise NotFound(
            "unknown_form",
            "このフォームは見つかりません。URLをもう一度ご確認ください。",
            "There is no such form. Please check the address.",
        )

    def all(self) -> list[Form]:
        """Every form, by id. There are tens of them, not thousands."""
        forms: list[Form] = []
        start: dict[str, Any] = {}
        while True:
            with translated("forms"):
                answer = self.client.scan(TableName=self.table, **start)
            forms += map(form_of, answer["Items"])
            if "LastEvaluatedKey" not in answer:
                return sorted(forms, key=lambda form: form.form_id)
            start = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}

    def save(self, form: Form, *, new: bool = False) -> None:
        """Publish a form; ``new`` refuses to replace one.

        Raises:
            Unprocessable: the definition would break the manual (A1, A4, A6).
            Conflict: ``new``, and the id is taken.
            Unavailable: the store could not be asked.
        """
        condition = {"ConditionExpression": "attribute_not_exists(form_id)"} if new else {}
        item = form_item(check_form(form))
        with translated("forms"):
            try:
                self.client.put_item(TableName=self.table, Item=item, **condition)  # type: ignore[arg-type]
            except ClientError as error:
                if error_code(error) != "ConditionalCheckFailedException":
                    raise
                raise Conflict(
                    "form_exists",
                    "このフォームIDはすでに使われています。",
                    "This form id is taken.",
                ) from error


def form_item(form: Form) -> dict[str, Any]:
    """A form as it is stored."""
    plain: dict[str, Any] = {
        "form_id": form.form_id,
        "kind": str(form.kind),
        "title_ja": form.title_ja,
        "title_en": form.title_en,
        "consent_version": form.consent_version,
        "purpose_version": form.purpose_version,
        "municipality": form.municipality,
        "allowed_origins": list(form.allowed_origins),
        "thanks_url": form.thanks_url,
        "fields": [
            {
                "name": extra.name,
                "label_ja": extra.label_ja,
                "label_en": extra.label_en,
                "required": extra.required,
                "max_length": extra.max_length,
            }
            for extra in form.fields
        ],
    }
    return to_item(plain)


def form_of(item: dict[str, Any]) -> Form:
    """A stored form."""
    plain = from_item(item)
    return Form(
        form_id=plain["form_id"],
        kind=FormKind(plain["kind"]),
        title_ja=plain["title_ja"],
        title_en=plain["title_en"],
        consent_version=plain["consent_version"],
        purpose_version=plain["purpose_version"],
        municipality=plain["municipality"],
        allowed_origins=tuple(plain["allowed_origins"]),
        thanks_url=plain["thanks_url"],
        fields=tuple(
            ExtraField(
                name=extra["name"],
                label_ja=extra["label_ja"],
                label_en=extra["label_en"],
                required=extra["required"],
                max_length=extra["max_length"],
            )
            for extra in plain["fields"]
        ),
    )
