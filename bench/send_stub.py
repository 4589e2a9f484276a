"""A stand-in for the AWS that sending uses: ``python -m bench.send_stub``.

Makes contacts up as they are asked for, remembers ledger lines and batches, takes every mail,
and counts calls and DynamoDB's request units. In a process of its own, so that its work is not
billed to what is measured.
"""

from __future__ import annotations

import json
import sys
import time
from collections import Counter, defaultdict
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

from bench.units import read, size, written
from shared.adapters.attributes import to_item
from shared.adapters.campaigns import _item
from shared.adapters.contacts import _mark_map
from shared.domain.campaigns import Campaign, CampaignStatus
from shared.domain.contact import project
from shared.domain.events import Event, EventKind, Source, parse_stamp

CAMPAIGN = "cd" * 6
SHARDS = 16
_PAGE_BYTES = 1_000_000
_AT = parse_stamp("2026-11-24T00:00:00.000Z")


class State:
    """What the stub holds."""

    recipients = 1_000
    latency = 0.0
    calls: ClassVar[Counter[str]] = Counter()
    units: ClassVar[defaultdict[str, float]] = defaultdict(float)
    lines: ClassVar[dict[str, list[tuple[str, str]]]] = {}
    batches: ClassVar[dict[str, Any]] = {}

    @classmethod
    def reset(cls) -> None:
        cls.calls, cls.units = Counter(), defaultdict(float)
        cls.lines, cls.batches = {}, {}


@cache
def _contact() -> str:
    """A contact as stored, the id to be put in: a ticked box, confirmed."""
    details = {"form_id": "sakura-city", "municipality": "さくら市"}
    personal = {
        "address": "PLACE@example.jp",
        "typed": "PLACE@example.jp",
        "address_kind": "standard",
        "field.name": "山田 太郎",
        "field.organization": "さくら不動産株式会社",
    }
    advisor = {"operator": "0e9c3a52-7b1f-4c1e-9d1a-52a8d7a4f0c3"}
    events = (
        Event("x", "a" * 24, EventKind.OPTED_IN, _AT, Source.MUNICIPAL_LP, details, personal),
        Event("x", "b" * 24, EventKind.REGISTERED, _AT, Source.STAFF, advisor),
    )
    contact = project("x", events)
    plain = {
        "contact_id": "PLACE",
        "list_shard": "SHARD",
        "version": contact.version,
        **{str(name): _mark_map(mark) for name, mark in contact.registers.items()},
    }
    return json.dumps(to_item(plain))


def _contact_json(shard: int, number: int) -> str:
    contact_id = f"{shard:x}{number:031x}"
    return _contact().replace("PLACE", contact_id).replace("SHARD", f"{shard:02x}")


CONTACT_BYTES = size(json.loads(_contact_json(0, 0)))


@cache
def _campaign() -> dict[str, Any]:
    paragraph = "空き家の活用についてのご案内です。" * 8
    body = "\n\n".join([f"## {{{{name|お客}}}}様へ\n\n{paragraph}"] * 3)
    return _item(
        Campaign(CAMPAIGN, "空き家セミナーのご案内", body, "cs", _AT, CampaignStatus.SENDING)
    )


def _dynamodb(operation: str, body: dict[str, Any]) -> str:
    """The answer as JSON text."""
    return _DYNAMODB[operation](body)


def _query(body: dict[str, Any]) -> str:
    if body.get("IndexName") == "mailing_list":
        shard = int(body["ExpressionAttributeValues"][":s"]["S"], 16)
        start = body.get("ExclusiveStartKey")
        return _listed(shard, int(start["contact_id"]["S"][1:], 16) + 1 if start else 0, body)
    digit = body["ExpressionAttributeValues"][":from"]["S"][0]
    after = body.get("ExclusiveStartKey", {}).get("contact_id", {}).get("S", "")
    found: list[str] = []
    bytes_, more = 0, ""
    for contact_id, line in State.lines.get(digit, []):
        if contact_id <= after:
            continue
        found.append(line)
        bytes_ += size(json.loads(line))
        if bytes_ >= _PAGE_BYTES or len(found) == body.get("Limit"):
            more = contact_id
            break
    State.units["read"] += read(bytes_)
    return _items(found, more)


def _listed(shard: int, start: int, body: dict[str, Any]) -> str:
    each = State.recipients // SHARDS
    end = min(each, start + body.get("Limit", 250))
    State.units["read"] += read((end - start) * CONTACT_BYTES) / 2
    last = f"{shard:x}{end - 1:031x}" if end < each else ""
    return _items([_contact_json(shard, number) for number in range(start, end)], last)


def _scan(body: dict[str, Any]) -> str:
    start = body.get("ExclusiveStartKey")
    begin = int(start["contact_id"]["S"][1:], 16) + 1 if start else 0
    end = min(State.recipients, begin + 1_000)
    last = f"0{end - 1:031x}" if end < State.recipients else ""
    return _items([_contact_json(0, number) for number in range(begin, end)], last)


def _items(items: list[str], last: str) -> str:
    key = f',"LastEvaluatedKey":{{"contact_id":{{"S":"{last}"}}}}' if last else ""
    return f'{{"Items":[{",".join(items)}]{key}}}'


def _transact(body: dict[str, Any]) -> str:
    for action in body["TransactItems"]:
        if put := action.get("Put"):
            contact_id = put["Item"]["contact_id"]["S"]
            line = json.dumps(put["Item"])
            State.lines.setdefault(contact_id[0], []).append((contact_id, line))
            State.units["write"] += 2 * written(size(put["Item"]))
        else:
            State.units["write"] += 2 * written(CONTACT_BYTES)
    return "{}"


def _put(body: dict[str, Any]) -> str:
    State.batches[body["Item"]["contact_id"]["S"]] = body["Item"]
    State.units["write"] += written(size(body["Item"]))
    return "{}"


def _batch_get(body: dict[str, Any]) -> str:
    [(table, wanted)] = body["RequestItems"].items()
    found = [State.batches.get(key["contact_id"]["S"]) for key in wanted["Keys"]]
    for item in found:
        State.units["read"] += read(size(item or {}))
    return json.dumps({"Responses": {table: [item for item in found if item]}})


def _get(_body: dict[str, Any]) -> str:
    State.units["read"] += read(size(_campaign()))
    return json.dumps({"Item": _campaign()})


def _update(body: dict[str, Any]) -> str:
    pace = body["TableName"] == "throttle"
    State.units["write"] += written(size(body["Key"]) if pace else size(_campaign()))
    values = body.get("ExpressionAttributeValues", {})
    until = values.get(":next", {"N": str(round(time.time() * 1000))})
    return json.dumps({"Attributes": {"until": until} if ":now" in values else {}})


_DYNAMODB = {
    "Query": _query,
    "Scan": _scan,
    "TransactWriteItems": _transact,
    "PutItem": _put,
    "BatchGetItem": _batch_get,
    "GetItem": _get,
    "UpdateItem": _update,
}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1
    disable_nagle_algorithm = True

    def do_POST(self) -> None:
        """Answer one AWS call, or ``/control``."""
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])) or b"{}")
        if self.path == "/control":
            State.reset()
            State.recipients, State.latency = body["recipients"], body["latency"]
            self._answer("{}")
            return
        time.sleep(State.latency)
        target = self.headers.get("X-Amz-Target", "")
        if target.startswith("DynamoDB"):
            operation = target.rpartition(".")[2]
            text = _dynamodb(operation, body)
        elif target.startswith("secretsmanager"):
            operation, text = "GetSecretValue", json.dumps({"SecretString": _RING})
        elif "bulk" in self.path:
            operation, text = "SendBulkEmail", _bulk(body)
        else:
            operation, text = "SendEmail", json.dumps({"MessageId": _ID})
        State.calls[operation] += 1
        self._answer(text)

    def do_GET(self) -> None:
        """``/counts``, or SES's GetAccount."""
        if self.path == "/counts":
            self._answer(json.dumps({"calls": dict(State.calls), "units": dict(State.units)}))
            return
        time.sleep(State.latency)
        State.calls["GetAccount"] += 1
        quota = {"Max24HourSend": -1.0, "MaxSendRate": 1e9, "SentLast24Hours": 0.0}
        self._answer(json.dumps({"SendingEnabled": True, "SendQuota": quota}))

    def _answer(self, text: str) -> None:
        content = text.encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/x-amz-json-1.0")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


_RING = json.dumps({"current": "k1", "k1": "k" * 64})
_ID = "0106019ab1c2d3e4-01234567-89ab-cdef-0123-456789abcdef-000000"


def _bulk(body: dict[str, Any]) -> str:
    results = [{"Status": "SUCCESS", "MessageId": _ID}] * len(body["BulkEmailEntries"])
    return json.dumps({"BulkEmailEntryResults": results})


def main() -> None:
    """Serve on a free port of the loopback interface, named on the first line of output."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    sys.stdout.write(f"{server.server_port}\n")
    sys.stdout.flush()
    server.serve_forever()


if __name__ == "__main__":
    main()
