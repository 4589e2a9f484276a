"""A stand-in for AWS that only answers: what is measured is our code, not the store.

Answers DynamoDB and Secrets Manager calls at once with fixed content and counts them. It
runs in a process of its own, so that its work is not billed to what is measured.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

FORM = {
    "form_id": {"S": "bench"},
    "kind": {"S": "municipal_lp"},
    "title_ja": {"S": "測定"},
    "title_en": {"S": "Bench"},
    "consent_version": {"N": "1"},
    "purpose_version": {"N": "1"},
    "municipality": {"S": "さくら市"},
    "allowed_origins": {"L": []},
    "thanks_url": {"S": ""},
    "fields": {"L": []},
}
LINK_KEY = "k" * 64
CONTACT_KEY = "c" * 64

calls: Counter[str] = Counter()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Without this, head and body leave in two packets, and the client's delayed
    # acknowledgement of the first costs 40 ms.
    wbufsize = -1
    disable_nagle_algorithm = True

    def do_POST(self) -> None:
        """Answer one AWS call."""
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        operation = self.headers["X-Amz-Target"].rpartition(".")[2]
        calls[operation] += 1
        self._answer(_answer_to(operation, body))

    def do_GET(self) -> None:
        """``/calls``: the counts so far, which start again from zero."""
        counts = dict(calls)
        calls.clear()
        self._answer(counts)

    def _answer(self, content: object) -> None:
        body = json.dumps(content).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/x-amz-json-1.0")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def _answer_to(operation: str, body: dict[str, str]) -> object:
    if operation == "GetItem":
        return {"Item": FORM}
    if operation == "GetSecretValue":
        ring = json.dumps({"current": "k1", "k1": LINK_KEY})
        return {"SecretString": ring if "link" in body["SecretId"] else CONTACT_KEY}
    return {}


def main() -> None:
    """Serve on a free port of the loopback interface, named on the first line of output."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    sys.stdout.write(f"{server.server_port}\n")
    sys.stdout.flush()
    server.serve_forever()


if __name__ == "__main__":
    main()
