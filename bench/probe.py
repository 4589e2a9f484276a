"""What a measured process runs: ``python -m bench.probe WHAT``. Prints one JSON line.

Imports nothing but what is measured before the clock starts.
"""

from __future__ import annotations

import time

START = time.perf_counter()

import json  # noqa: E402
import os  # noqa: E402
import sys  # noqa: E402
from typing import Any  # noqa: E402

CONTACT = "ab" * 16
CAMPAIGN = "cd" * 6


class Context:
    """Of Lambda's context, what Powertools reads."""

    function_name = "bench"
    memory_limit_in_mb = 256
    invoked_function_arn = "arn:aws:lambda:ap-northeast-1:000000000000:function:bench"
    aws_request_id = "bench"


def main() -> None:
    """Dispatch on the first argument."""
    _PROBES[sys.argv[1]]()


def floor() -> None:
    """The least any such function does: import boto3 and make one DynamoDB client."""
    import boto3

    boto3.client("dynamodb")
    _print({"seconds": time.perf_counter() - START})


def form_intake() -> None:
    """Import to first answer of a form post."""
    from functions.form_intake import handler

    answer = handler(form_post(1), Context)
    _print({"seconds": time.perf_counter() - START, "status": answer["statusCode"]})


def unsubscribe() -> None:
    """Import to first answer of a one-click unsubscribe."""
    event = unsubscribe_post(1)
    from functions.unsubscribe import handler

    answer = handler(event, Context)
    _print({"seconds": time.perf_counter() - START, "status": answer["statusCode"]})


def unsubscribe_page() -> None:
    """Import to first answer of a browser's unsubscribe, which renders a page."""
    event = unsubscribe_post(1)
    event["headers"]["accept"] = "text/html"
    from functions.unsubscribe import handler

    answer = handler(event, Context)
    _print({"seconds": time.perf_counter() - START, "status": answer["statusCode"]})


def warm() -> None:
    """CPU per warm form post beside a bare handler that makes the same DynamoDB call."""
    from functions.form_intake import _deps, handler

    handler(form_post(0), Context)
    client = _deps().contacts.client
    sent: list[dict[str, Any]] = []
    client.meta.events.register_first(
        "provide-client-params.dynamodb.TransactWriteItems",
        lambda params, **_: sent.append(params),
        unique_id="capture",
    )
    handler(form_post(1), Context)
    client.meta.events.unregister(
        "provide-client-params.dynamodb.TransactWriteItems", unique_id="capture"
    )
    params = sent[0]

    def bare(event: dict[str, Any], _context: object) -> dict[str, Any]:
        json.loads(event["body"])
        client.transact_write_items(**params)
        return {"statusCode": 201, "body": json.dumps({"status": "opted_in"})}

    pairs = []
    for round_ in range(int(sys.argv[2])):
        events = [form_post(round_ * 1000 + number) for number in range(100)]
        pairs.append({"ours": _cpu(handler, events), "bare": _cpu(bare, events)})
    _print({"pairs": pairs})


def calls() -> None:
    """One warm post, then one warm unsubscribe; the caller counts the calls between."""
    import urllib.request

    from functions import form_intake as forms
    from functions import unsubscribe as links

    def counted() -> dict[str, int]:
        with urllib.request.urlopen(os.environ["AWS_ENDPOINT_URL"] + "/calls") as answer:
            counts: dict[str, int] = json.loads(answer.read())
            return counts

    counted()
    forms.handler(form_post(1), Context)
    first_post = counted()
    forms.handler(form_post(2), Context)
    post = counted()
    links.handler(unsubscribe_post(1), Context)
    first_stop = counted()
    links.handler(unsubscribe_post(2), Context)
    _print(
        {
            "first_post": first_post,
            "post": post,
            "first_unsubscribe": first_stop,
            "unsubscribe": counted(),
        }
    )


def _cpu(handle: Any, events: list[dict[str, Any]]) -> float:
    begun = time.process_time()
    for event in events:
        handle(event, Context)
    return time.process_time() - begun


def form_post(number: int) -> dict[str, Any]:
    """A JSON form post as API Gateway hands it over."""
    return _event(
        "POST /forms/{form_id}",
        number,
        {"form_id": "bench"},
        json.dumps({"email": f"taro{number}@example.jp", "opt_in": True}),
        "application/json",
    )


def unsubscribe_post(number: int) -> dict[str, Any]:
    """A one-click post (RFC 8058) with a genuine token."""
    from shared.domain.links import Link, LinkKeys, sign

    token = sign(Link(CONTACT, CAMPAIGN), LinkKeys("k1", {"k1": b"k" * 64}))
    return _event(
        "POST /u/{token}",
        number,
        {"token": token},
        "List-Unsubscribe=One-Click",
        "application/x-www-form-urlencoded",
    )


def _event(
    route: str, number: int, path: dict[str, str], body: str, media_type: str
) -> dict[str, Any]:
    method, _, raw_path = route.partition(" ")
    return {
        "version": "2.0",
        "routeKey": route,
        "rawPath": raw_path,
        "rawQueryString": "",
        "headers": {"content-type": media_type, "user-agent": "bench"},
        "requestContext": {
            "http": {"method": method, "path": raw_path, "sourceIp": "192.0.2.1"},
            "requestId": f"bench-{number}",
            "timeEpoch": 1_795_000_000_000 + number,
        },
        "pathParameters": path,
        "body": body,
        "isBase64Encoded": False,
    }


def _print(result: dict[str, Any]) -> None:
    sys.stderr.write(json.dumps(result) + "\n")


_PROBES = {
    "floor": floor,
    "form_intake": form_intake,
    "unsubscribe": unsubscribe,
    "unsubscribe_page": unsubscribe_page,
    "warm": warm,
    "calls": calls,
}

if __name__ == "__main__":
    main()
