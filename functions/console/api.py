"""The staff API as the signed-in person sees it, and the HTTP beneath.

Every rule and every permission is the API's; here its answers become data and its refusals
one exception with the sentence to show.
"""

from __future__ import annotations

import json
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Self
from urllib.parse import urlencode

import urllib3
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError

Json = dict[str, Any]

_CONNECT = 2.0
_READ = 10.0
_RETRIED = frozenset({429, 500, 502, 503, 504})


@dataclass(frozen=True)
class FieldError:
    """What is wrong with one field, and the likely correction where there is one."""

    ja: str
    suggestion: str = ""


@dataclass
class ApiError(Exception):
    """The API refused or could not answer. ``ja`` is the sentence for the person.

    ``fields`` names the wrong fields of a 422.
    """

    status: int
    ja: str
    fields: Mapping[str, FieldError] = field(default_factory=dict)


class SignedOut(Exception):
    """The token is no longer accepted."""


@dataclass
class Unreachable(Exception):
    """No answer. ``maybe_done``: the request may have arrived all the same."""

    maybe_done: bool


@dataclass(frozen=True)
class Reply:
    """One HTTP answer."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)  # by lower-case name

    def json(self) -> Json:
        """The body's JSON object; empty where it is none."""
        try:
            content = json.loads(self.body)
        except ValueError:
            return {}
        return content if isinstance(content, dict) else {}


class Http:
    """The calls of one page: connections are shared among them, and so is the time.

    A pool kept from one invocation to the next would hold connections that died while the
    function was frozen, and a POST on one of those cannot be told from one that was lost.
    """

    def __init__(self, seconds: float) -> None:
        self._deadline = time.monotonic() + seconds
        self._pool = urllib3.PoolManager(ssl_context=_tls())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.clear()

    def send(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None = None
    ) -> Reply:
        """One request; a GET that fails is sent once more, anything else never.

        Raises:
            Unreachable: no answer in the time left.
        """
        try:
            reply = self._once(method, url, headers, body)
        except Unreachable:
            if method != "GET":
                raise
        else:
            if method != "GET" or reply.status not in _RETRIED:
                return reply
        return self._once(method, url, headers, body)

    def _once(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> Reply:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise Unreachable(maybe_done=False)
        try:
            answer = self._pool.request(
                method,
                url,
                headers=dict(headers),
                body=body,
                timeout=urllib3.Timeout(connect=min(_CONNECT, left), read=min(_READ, left)),
                retries=False,
                redirect=False,
            )
        except (ConnectTimeoutError, NewConnectionError):
            raise Unreachable(maybe_done=False) from None
        except HTTPError:
            raise Unreachable(maybe_done=method != "GET") from None
        headers = {name.lower(): value for name, value in answer.headers.items()}
        return Reply(answer.status, answer.data, headers)


@cache
def _tls() -> ssl.SSLContext:
    return ssl.create_default_context()


@dataclass(frozen=True)
class StaffApi:
    """The routes the console uses."""

    http: Http
    url: str
    token: str

    def pending(self, *, limit: int, after: str = "") -> Json:
        """A page of the opt-ins that wait, the longest waiting first."""
        more = {"after": after} if after else {}
        return self._get("/registrations", status="pending", limit=str(limit), **more)

    def confirm(self, contact_id: str, submission_id: str) -> Json:
        """Put the address on the list."""
        return self._post(
            "/registrations", {"contact_id": contact_id, "submission_id": submission_id}
        )

    def lookup(self, email: str) -> Json:
        """Everything held about an address."""
        return self._post("/contacts/lookup", {"email": email}, only_reads=True)

    def contact(self, contact_id: str) -> Json:
        """Everything held about a contact."""
        return self._get(f"/contacts/{contact_id}")

    def proof(self, contact_id: str, kind: str) -> Reply:
        """Everything on record about a contact as one file, ``json`` or ``html``."""
        query = urlencode({"format": kind})
        return self._reply("GET", f"/contacts/{contact_id}/proof?{query}", None, only_reads=True)

    def unsubscribe(self, content: Mapping[str, str]) -> Json:
        """Record that a person wants no more mail."""
        return self._post("/unsubscriptions", content)

    def campaigns(self) -> list[Json]:
        """Every campaign, the newest first, without figures."""
        found: list[Json] = self._get("/campaigns")["campaigns"]
        return found

    def campaign(self, campaign_id: str) -> Json:
        """A campaign with its figures."""
        return self._get(f"/campaigns/{campaign_id}")

    def write_campaign(self, content: Mapping[str, object]) -> Json:
        """A new draft."""
        return self._post("/campaigns", content)

    def edit_campaign(self, campaign_id: str, content: Mapping[str, object]) -> Json:
        """A new content; what was approved is a draft again."""
        body = json.dumps(content).encode()
        return self._call("PUT", f"/campaigns/{campaign_id}", body, only_reads=False)

    def move_campaign(
        self, campaign_id: str, step: str, content: Mapping[str, object] | None = None
    ) -> Json:
        """One step in a campaign's life: test, approve, schedule, send, pause and so on."""
        return self._post(f"/campaigns/{campaign_id}/{step}", content)

    def lint(self, campaign_id: str) -> Json:
        """What is wrong with a campaign."""
        return self._get(f"/campaigns/{campaign_id}/lint")

    def dry_run(self, campaign_id: str) -> Json:
        """Whom a campaign would reach now."""
        return self._post(f"/campaigns/{campaign_id}/dry-run", only_reads=True)

    def recipient(self, campaign_id: str, contact_id: str) -> Json:
        """What became of one person in a campaign, and why."""
        return self._get(f"/campaigns/{campaign_id}/recipients/{contact_id}")

    def find_recipient(self, campaign_id: str, email: str) -> Json:
        """The same, by address."""
        path = f"/campaigns/{campaign_id}/recipients/lookup"
        return self._post(path, {"email": email}, only_reads=True)

    def lift_bounce(self, contact_id: str, reason: str) -> Json:
        """Mail arrives after all."""
        return self._post(f"/contacts/{contact_id}/lift-bounce", {"reason": reason})

    def residence(self, contact_id: str, region: str) -> Json:
        """Where the person lives, as far as GDPR asks."""
        return self._post(f"/contacts/{contact_id}/residence", {"region": region})

    def requests(self, *, limit: int, team: str = "", state: str = "open", after: str = "") -> Json:
        """A page of requests: the open ones by due date, or the closed ones, the newest first."""
        chosen = {name: value for name, value in (("team", team), ("after", after)) if value}
        return self._get("/requests", state=state, limit=str(limit), **chosen)

    def request(self, case_id: str) -> Json:
        """A request with everything about it."""
        return self._get(f"/requests/{case_id}")

    def open_request(self, content: Mapping[str, object]) -> Json:
        """A request that a person made on the phone or in person."""
        return self._post("/requests", content)

    def move_request(self, case_id: str, step: str, content: Mapping[str, object]) -> Json:
        """One decision about a request, or words of staff."""
        return self._post(f"/requests/{case_id}/{step}", content)

    def raw_mail(self, case_id: str, mail_id: str) -> str:
        """Where the mail as it came can be fetched for a few minutes."""
        return str(self._get(f"/requests/{case_id}/mails/{mail_id}/raw")["url"])

    def received(self, *, limit: int, after: str = "") -> Json:
        """A page of the mails that nobody answered, the newest first."""
        more = {"after": after} if after else {}
        return self._get("/received", limit=str(limit), **more)

    def open_received(self, mail_id: str, kind: str) -> Json:
        """Make a request of such a mail."""
        return self._post(f"/received/{mail_id}/open", {"kind": kind})

    def forms(self) -> list[Json]:
        """Every form, by id."""
        found: list[Json] = self._get("/forms")["forms"]
        return found

    def _get(self, path: str, **query: str) -> Json:
        mark = f"?{urlencode(query)}" if query else ""
        return self._call("GET", f"{path}{mark}", None, only_reads=True)

    def _post(
        self, path: str, content: Mapping[str, object] | None = None, *, only_reads: bool = False
    ) -> Json:
        body = json.dumps(content or {}).encode()
        return self._call("POST", path, body, only_reads=only_reads)

    def _call(self, method: str, path: str, body: bytes | None, *, only_reads: bool) -> Json:
        return self._reply(method, path, body, only_reads=only_reads).json()

    def _reply(self, method: str, path: str, body: bytes | None, *, only_reads: bool) -> Reply:
        headers = {"Authorization": f"Bearer {self.token}", "Accept": "application/json"}
        if body is not None:
            headers["Content-Type"] = "application/json"
        try:
            reply = self.http.send(method, f"{self.url}{path}", headers, body)
        except Unreachable as error:
            raise _no_answer(maybe_done=error.maybe_done and not only_reads) from None
        if reply.status == 401:
            raise SignedOut
        if 200 <= reply.status < 300:
            return reply
        raise _refusal(reply, only_reads=only_reads)


def _refusal(reply: Reply, *, only_reads: bool) -> ApiError:
    """The API's own sentence; ours where something in between answered in its place."""
    about = reply.json()
    sentence = about.get("detail")
    if not isinstance(sentence, str):
        if reply.status >= 500:
            return _no_answer(maybe_done=not only_reads, status=502)
        return ApiError(reply.status, _OTHERWISE.get(reply.status, _REFUSED))
    return ApiError(
        reply.status,
        sentence,
        {
            str(error["field"]): FieldError(str(error["detail"]), str(error.get("suggestion", "")))
            for error in about.get("errors", [])
        },
    )


def _no_answer(*, maybe_done: bool, status: int = 503) -> ApiError:
    return ApiError(status, _UNSURE if maybe_done else _UNREACHABLE)


_UNREACHABLE = "ただいま接続できませんでした。少し待って、もう一度お試しください。"
_UNSURE = (
    "結果を確認できませんでした。操作は完了しているかもしれません。"
    "もう一度行う前に、画面を開き直して確認してください。"
)
_REFUSED = "この操作は受け付けられませんでした。"
_OTHERWISE = {
    403: "この操作を行う権限がありません。担当部署にご依頼ください。",
    404: "見つかりません。",
    429: "操作が集中しています。少し待って、もう一度お試しください。",
}
