"""The console in front of a staff API and a Cognito that behave, both over real HTTP.

``Outside`` keeps people by the product's own rules, so that what the pages show is what the
API would say; ``Tab`` is a browser with cookies and nothing else: no JavaScript.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import logging
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import pytest

from functions.console.app import PAGES, Deps, handler
from functions.console.render import style_path
from functions.console.settings import ConsoleSettings
from functions.staff_api.proof_schemas import ProofConditionOut, RecipientOut
from functions.staff_api.request_schemas import RequestsPage
from functions.staff_api.schemas import (
    BounceLiftedOut,
    CampaignEdit,
    CampaignIn,
    CampaignOut,
    ContactOut,
    DryRunOut,
    EntryOut,
    EventOut,
    FindingsOut,
    FormOut,
    NoteOut,
    PendingOut,
    PendingPage,
    Region,
    RegistrationOut,
    ResidenceIn,
    ResidenceOut,
    RestOut,
    SampleOut,
    ScheduleIn,
    UnsubscriptionOut,
    VerdictOut,
)
from shared.adapters.http import problem_content
from shared.domain import lifecycle
from shared.domain.address import AddressError, contact_id, parse_address
from shared.domain.audience import Audience
from shared.domain.campaigns import (
    Campaign,
    CampaignStatus,
    Entry,
    Outcome,
    PauseReason,
    check_content,
)
from shared.domain.contact import Contact, project
from shared.domain.eligibility import Profile, judge
from shared.domain.errors import (
    Conflict,
    FieldProblem,
    NotAllowed,
    NotFound,
    OptinError,
    Unavailable,
    Unprocessable,
)
from shared.domain.events import Event, EventKind, Source, event_id
from shared.domain.feedback import liftings
from shared.domain.forms import Form, FormKind
from shared.domain.recipient import explain
from shared.domain.registration import confirmation
from shared.domain.teams import Permission, Team, may
from shared.mail.lint import Finding, Severity
from shared.proof.record import condition_record
from shared.proof.sentences import sentence
from shared.telemetry import logger
from shared.texts import consent
from shared.texts.consent import Language, TextId
from shared.words import REASONS

NOW = datetime(2026, 11, 24, 6, 4, tzinfo=UTC)
CLIENT = "client-of-the-console"
ADDRESS = "taro@example.jp"
WORDING = consent.current(TextId.OPTIN_CHECKBOX).wording(Language.JA)
FORM = Form(
    form_id="sakura-city",
    kind=FormKind.MUNICIPAL_LP,
    title_ja="さくら市 空き家相談",
    title_en="Sakura City",
    municipality="さくら市",
    consent_version=1,
    purpose_version=1,
)
PROOF = "<p>証拠\u3000①髙㈱\r\n\u2028</p>".encode()
PROOF_HEADERS = {
    "Content-Type": "text/html; charset=utf-8",
    "Content-Disposition": 'attachment; filename="optin-proof-0123456789abcdef.html"',
    "Content-Security-Policy": "default-src 'none'; style-src 'sha256-x'",
    "Server-Timing": "internal",
}
Json = dict[str, Any]


def token(username: str, *teams: str, expires: datetime) -> str:
    """An access token with the claims Cognito writes; nobody here checks its signature."""
    claims = {"username": username, "cognito:groups": list(teams), "exp": int(expires.timestamp())}
    parts = ({"alg": "RS256"}, claims)
    text = ".".join(
        base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in parts
    )
    return f"{text}.c2lnbmF0dXJl"


@dataclass
class Outside:
    """Cognito and the staff API, with what they were asked."""

    teams: tuple[str, ...] = ("CS",)
    lasts: timedelta = timedelta(hours=1)
    codes: dict[str, str] = field(default_factory=dict)
    tokens: set[str] = field(default_factory=set)
    refresh_tokens: set[str] = field(default_factory=set)
    username: str = "cs-sato"
    author_may_approve: bool = False
    findings: list[Finding] = field(default_factory=list)
    more: dict[str, Json] = field(default_factory=dict)  # of a campaign: figures and so on
    sent: list[Json] = field(default_factory=list)
    query: dict[str, str] = field(default_factory=dict)  # of the last call
    events: dict[str, list[Event]] = field(default_factory=dict)
    entries: dict[str, list[Entry]] = field(default_factory=dict)
    campaigns: dict[str, Campaign] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    faults: dict[str, list[Callable[[], OptinError | bytes | None]]] = field(default_factory=dict)
    cognito_down: bool = False

    # ---- Cognito ----

    def authorize(self, query: Mapping[str, str]) -> str:
        """The person signs in on Cognito's page; the code it redirects with."""
        assert query["response_type"] == "code"
        assert query["client_id"] == CLIENT
        assert query["code_challenge_method"] == "S256"
        code = f"code-{len(self.codes)}"
        self.codes[code] = query["code_challenge"]
        return code

    def issue(self, *, renewed: bool = False) -> Json:
        access = token(self.username, *self.teams, expires=NOW + self.lasts)
        self.tokens.add(access)
        if renewed:
            return {"access_token": access}
        refresh = f"refresh-secret-{len(self.refresh_tokens)}"
        self.refresh_tokens.add(refresh)
        return {"access_token": access, "refresh_token": refresh, "id_token": "not-used"}

    def oauth(self, path: str, form: Mapping[str, str]) -> tuple[int, Json]:
        if self.cognito_down:
            return 503, {}
        if path == "/oauth2/revoke":
            self.refresh_tokens.discard(form["token"])
            return 200, {}
        refresh = form["grant_type"] == "refresh_token"
        known = form.get("client_id") == CLIENT
        if known and (form["refresh_token"] in self.refresh_tokens if refresh else self._is(form)):
            return 200, self.issue(renewed=refresh)
        return 400, {"error": "invalid_grant"}

    def _is(self, form: Mapping[str, str]) -> bool:
        """The code is one of ours, unused, and its sender began the sign-in (RFC 7636)."""
        challenge = self.codes.pop(form["code"], None)
        digest = hashlib.sha256(form["code_verifier"].encode()).digest()
        sent = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        return challenge == sent and form["redirect_uri"].endswith("/callback")

    # ---- the staff API ----

    def staff(self, method: str, path: str, authorization: str, body: Json) -> tuple[int, Json]:
        if authorization.removeprefix("Bearer ") not in self.tokens:
            return 401, {"message": "Unauthorized"}
        try:
            return 200, self._route(method, path, body)
        except OptinError as error:
            return error.status, problem_content(error)

    def _route(self, method: str, path: str, body: Json) -> Json:
        routes: dict[str, tuple[Permission, Callable[..., Json]]] = {
            r"GET /registrations": (Permission.READ_CONTACTS, self._pending),
            r"POST /registrations": (
                Permission.CONFIRM_REGISTRATIONS,
                lambda: self._confirm(body),
            ),
            r"POST /contacts/lookup": (
                Permission.READ_CONTACTS,
                lambda: self._show(self.id_of(body["email"])),
            ),
            r"GET /contacts/(\w+)": (Permission.READ_CONTACTS, self._show),
            r"GET /contacts/(\w+)/proof": (
                Permission.READ_CONTACTS,
                lambda known: self._show(known) and {"file": PROOF},
            ),
            r"POST /unsubscriptions": (
                Permission.RECORD_UNSUBSCRIPTIONS,
                lambda: self._unsubscribe(body),
            ),
            r"GET /forms": (
                Permission.READ_FORMS,
                lambda: {"forms": [FormOut.of(FORM).model_dump(mode="json")]},
            ),
            r"GET /campaigns": (
                Permission.READ_CAMPAIGNS,
                lambda: {"campaigns": [self._campaign(known) for known in self.campaigns]},
            ),
            r"POST /campaigns": (Permission.SEND_CAMPAIGNS, lambda: self._write(body)),
            r"GET /campaigns/(\w+)": (Permission.READ_CAMPAIGNS, self._campaign),
            r"PUT /campaigns/(\w+)": (
                Permission.SEND_CAMPAIGNS,
                lambda known: self._edit(known, CampaignEdit(**body)),
            ),
            r"GET /campaigns/(\w+)/lint": (Permission.READ_CAMPAIGNS, self._lint),
            r"POST /campaigns/(\w+)/dry-run": (Permission.READ_CAMPAIGNS, self._dry_run),
            r"GET /campaigns/(\w+)/recipients/(\w+)": (Permission.READ_CONTACTS, self._recipient),
            r"POST /campaigns/(\w+)/recipients/lookup": (
                Permission.READ_CONTACTS,
                lambda known: self._recipient(known, self.id_of(body["email"])),
            ),
            r"POST /campaigns/(\w+)/(\w+)": (
                Permission.SEND_CAMPAIGNS,
                lambda known, step: self._step(known, step, body),
            ),
            r"GET /requests": (
                Permission.READ_REQUESTS,
                lambda: RequestsPage(requests=[], next="").model_dump(mode="json"),
            ),
            r"POST /contacts/(\w+)/residence": (
                Permission.HANDLE_REQUESTS,
                lambda known: self._live(known, ResidenceIn(**body).region),
            ),
            r"POST /contacts/(\w+)/lift-bounce": (
                Permission.LIFT_BOUNCES,
                lambda known: self._lift(known, body),
            ),
        }
        for pattern, (permission, answer) in routes.items():
            if match := re.fullmatch(pattern, f"{method} {path}"):
                self._require(permission)
                return answer(*match.groups())
        raise NotFound("unknown_route", "このAPIはありません。")

    def _pending(self) -> Json:
        outs = [PendingOut.of(self.contact(known)) for known in self.events]
        waiting = [out for out in outs if out]
        return PendingPage(registrations=waiting, next="").model_dump(mode="json")

    def _write(self, body: Json) -> Json:
        wanted = CampaignIn(**body)
        check_content(wanted.subject, wanted.body, wanted.text)
        known = self.draft(wanted.subject, wanted.body, by=self.username)
        self.change(known, text=wanted.text, audience=wanted.audience.audience())
        return self._campaign(known)

    def _edit(self, known: str, wanted: CampaignEdit) -> Json:
        check_content(wanted.subject, wanted.body, wanted.text)
        self._seen(known, wanted.version)
        audience = wanted.audience.audience()
        return self._save(
            known,
            lifecycle.edited(
                self.campaigns[known],
                subject=wanted.subject,
                body=wanted.body,
                text=wanted.text,
                audience=audience,
                actor=self.username,
            ),
        )

    def _step(self, known: str, step: str, body: Json) -> Json:
        held = self.campaigns[known]
        if step == "clone":
            new = f"{len(self.campaigns):012x}"
            return self._save(
                new, lifecycle.cloned(held, campaign_id=new, actor=self.username, now=NOW)
            )
        if step == "test":
            self._allowed(body["to"])
        if step == "approve":
            self._seen(known, body.get("version"))
        self.sent.append({"step": step, **body})
        steps: dict[str, Callable[[], Campaign]] = {
            "test": lambda: lifecycle.tested(held),
            "approve": lambda: lifecycle.approved(
                held, actor=self.username, now=NOW, author_may_approve=self.author_may_approve
            ),
            "schedule": lambda: lifecycle.scheduled(held, at=ScheduleIn(**body).at, now=NOW),
            "unschedule": lambda: lifecycle.unscheduled(held),
            "send": lambda: lifecycle.started(held, now=NOW),
            "pause": lambda: lifecycle.paused(held, PauseReason.STAFF),
            "resume": lambda: lifecycle.resumed(held),
            "cancel": lambda: lifecycle.cancelled(held),
        }
        return self._save(known, steps[step]())

    def _allowed(self, to: str) -> None:
        self.id_of(to, field="to")
        if not to.endswith("@example.jp"):
            wrong = FieldProblem("not_a_test_address", "社内のアドレスにだけ送れます。", "No.")
            raise Unprocessable({"to": wrong})

    def _seen(self, known: str, version: int | None) -> None:
        if version not in {None, self.campaigns[known].version}:
            raise Conflict("changed_meanwhile", "ほかの担当者が先に変更しました。", "Changed.")

    def _save(self, known: str, changed: Campaign) -> Json:
        self.campaigns[known] = replace(changed, version=changed.version + 1)
        return self._campaign(known)

    def _lint(self, _known: str) -> Json:
        return FindingsOut.of(self.findings).model_dump(mode="json")

    def _dry_run(self, known: str) -> Json:
        contacts = [self.contact(each) for each in self.events]
        held: dict[str, list[Contact]] = {}
        for each in contacts:
            held.setdefault(judge(each, Profile.MANUAL).reason, []).append(each)
        eligible = sum(judge(each, Profile.MANUAL).eligible for each in contacts)
        return DryRunOut(
            eligible=eligible,
            eligible_is_exact=True,
            not_eligible=len(contacts) - eligible,
            rest=[
                RestOut(
                    reason=reason,
                    reason_ja=REASONS[reason].ja,
                    reason_en=REASONS[reason].en,
                    count=len(some),
                    samples=[SampleOut.of(each) for each in some[:3]],
                )
                for reason, some in held.items()
                if not judge(some[0], Profile.MANUAL).eligible
            ],
            notes=[NoteOut(code="rest_may_lag", ja="集計値です。", en="Counted.")],
        ).model_dump(mode="json")

    def _recipient(self, campaign: str, known: str) -> Json:
        if known not in self.events:
            raise NotFound("unknown_contact", "このメールアドレスの記録はありません。")
        held = [each for each in self.entries.get(known, []) if each.campaign_id == campaign]
        explained = explain(
            self.campaigns[campaign],
            held[0] if held else None,
            self.events[known],
            contact_id=known,
            profile=Profile.MANUAL,
            now=NOW,
        )
        told = sentence(explained)
        return RecipientOut(
            campaign_id=campaign,
            contact_id=known,
            finding=explained.finding,
            reason=explained.reason,
            sentence_ja=told.ja,
            sentence_en=told.en,
            entry=EntryOut.of(held[0]) if held else None,
            as_of=explained.as_of,
            conditions=[
                ProofConditionOut.model_validate(condition_record(each))
                for each in explained.conditions
            ],
        ).model_dump(mode="json")

    def _lift(self, known: str, body: Json) -> Json:
        if not body["reason"].strip():
            wrong = FieldProblem("wrong", "値が正しくありません。", "Wrong.")
            raise Unprocessable({"reason": wrong})
        lifted = liftings(
            known,
            self.events.get(known, []),
            operator=self.username,
            reason=body["reason"],
            request_id=f"request-{len(self.calls)}",
            now=NOW,
        )
        for event in lifted:
            self.record(event)
        return BounceLiftedOut(
            contact_id=known,
            lifted=[event.kind for event in lifted],
            at=NOW,
            verdict=VerdictOut.of(judge(self.contact(known), Profile.MANUAL)),
        ).model_dump(mode="json")

    def _live(self, known: str, region: Region) -> Json:
        details = {"region": region, "operator": self.username}
        self.record(Event(known, "e" * 24, EventKind.RESIDENCE_STATED, NOW, Source.STAFF, details))
        return ResidenceOut(
            contact_id=known,
            region=region,
            at=NOW,
            requests=[],
            verdict=VerdictOut.of(judge(self.contact(known), Profile.MANUAL)),
        ).model_dump(mode="json")

    def _require(self, permission: Permission) -> None:
        if not may({Team(team) for team in self.teams}, permission):
            raise NotAllowed(
                "wrong_team", "この操作を行う権限がありません。担当部署にご依頼ください。"
            )

    def _confirm(self, body: Json) -> Json:
        known = body["contact_id"]
        event = confirmation(
            self.contact(known),
            self.events.get(known, []),
            body["submission_id"],
            operator="cs-sato",
            now=NOW,
        )
        self.record(event)
        return RegistrationOut(
            contact_id=known,
            submission_id=body["submission_id"],
            event_id=event.event_id,
            confirmed_by="cs-sato",
            confirmed_at=NOW,
            verdict=VerdictOut.of(judge(self.contact(known), Profile.MANUAL)),
        ).model_dump(mode="json")

    def _show(self, known: str) -> Json:
        contact = self.contact(known)
        if not contact.version:
            raise NotFound("unknown_contact", "このメールアドレスの記録はありません。")
        return ContactOut(
            contact_id=known,
            address=contact.address,
            typed=contact.typed,
            address_kind=contact.address_kind,
            verdict=VerdictOut.of(judge(contact, Profile.MANUAL)),
            history=[EventOut.of(event) for event in self.events[known]],
            campaigns=[EntryOut.of(entry) for entry in self.entries.get(known, [])],
            requests=[],
        ).model_dump(mode="json")

    def _unsubscribe(self, body: Json) -> Json:
        wrong = {
            name: FieldProblem("wrong", "値が正しくありません。", "Wrong.")
            for name in ("reason", "channel")
            if not body[name]
        }
        if wrong:
            raise Unprocessable(wrong)
        known = body.get("contact_id") or self.id_of(body["email"])
        event = Event(
            known,
            event_id("stop", known),
            EventKind.UNSUBSCRIBED,
            NOW,
            Source(body["channel"]),
            {"operator": "cs-sato", "reason": body["reason"]},
        )
        self.record(event)
        return UnsubscriptionOut(contact_id=known, event_id=event.event_id, at=NOW).model_dump(
            mode="json"
        )

    def _campaign(self, known: str) -> Json:
        if known not in self.campaigns:
            raise NotFound("unknown_campaign", "この一斉メールは見つかりません。")
        entries = [e for held in self.entries.values() for e in held if e.campaign_id == known]
        out = CampaignOut.of(self.campaigns[known]).model_dump(mode="json")
        for entry in entries:
            figures, skipped = out["figures"], out["skipped"]
            figures[entry.outcome] = figures.get(entry.outcome, 0) + 1
            if entry.outcome is Outcome.SKIPPED:
                skipped[entry.reason] = skipped.get(entry.reason, 0) + 1
        return {**out, **self.more.get(known, {})}

    # ---- people ----

    def id_of(self, email: str, field: str = "email") -> str:
        try:
            return contact_id(parse_address(email).lookup, b"key")
        except AddressError as error:
            wrong = FieldProblem(error.code, error.ja, error.en, error.suggestion)
            raise Unprocessable({field: wrong}) from None

    def contact(self, known: str) -> Contact:
        return project(known, self.events.get(known, []))

    def record(self, event: Event) -> None:
        held = self.events.setdefault(event.contact_id, [])
        if event not in held:
            held.append(event)

    def opt_in(self, email: str = ADDRESS, *, days_ago: int = 1) -> str:
        """A person ticks the box; their contact id."""
        known = self.id_of(email)
        self.record(
            Event(
                known,
                event_id("opt-in", email, str(days_ago)),
                EventKind.OPTED_IN,
                NOW - timedelta(days=days_ago),
                Source.MUNICIPAL_LP,
                {"form_id": FORM.form_id, "municipality": FORM.municipality},
                {
                    "address": email,
                    "typed": email.upper(),
                    "address_kind": "standard",
                    "source_ip": "192.0.2.1",
                },
                WORDING,
            )
        )
        return known

    def refuse(self, known: str) -> None:
        self.record(
            Event(known, event_id("no", known), EventKind.UNSUBSCRIBED, NOW, Source.LINK,
                  {"reason": "too_many"})
        )  # fmt: skip

    def draft(
        self, subject: str = "セミナーのご案内", body: str = "本文です。", by: str = "cs-sato"
    ) -> str:
        known = f"{len(self.campaigns):012x}"
        self.campaigns[known] = Campaign(known, subject, body, by, NOW)
        return known

    def change(self, known: str, **values: Any) -> None:
        self.campaigns[known] = replace(self.campaigns[known], **values)

    def tested(self, known: str) -> str:
        self.campaigns[known] = lifecycle.tested(self.campaigns[known])
        return known

    def approved(self) -> str:
        known = self.tested(self.draft())
        self.change(known, status=CampaignStatus.APPROVED, approved_by="gs-tanaka", approved_at=NOW)
        return known

    def started(self, status: CampaignStatus = CampaignStatus.SENDING, **values: Any) -> str:
        known = self.approved()
        self.change(known, status=status, started_at=NOW, **values)
        return known


class _Server(BaseHTTPRequestHandler):
    """Cognito under /oauth2, the staff API under /staff."""

    outside: Outside
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def do_PUT(self) -> None:
        self._answer()

    def _answer(self) -> None:
        raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path = urlsplit(self.path).path
        call = f"{self.command} {path.removeprefix('/staff')}"
        self.outside.calls.append(call)
        self.outside.query = dict(parse_qsl(urlsplit(self.path).query))
        fault = self.outside.faults.get(call)
        found = fault.pop(0)() if fault else None
        if found == b"drop":
            self.close_connection = True
            return
        if isinstance(found, OptinError):
            status, content = found.status, problem_content(found)
        elif isinstance(found, bytes):
            status, content = 502, {"message": "Internal Server Error"}
        elif path.startswith("/staff/"):
            status, content = self.outside.staff(
                self.command,
                path.removeprefix("/staff"),
                self.headers.get("Authorization", ""),
                json.loads(raw) if raw else {},
            )
        else:
            status, content = self.outside.oauth(path, dict(parse_qsl(raw.decode())))
        headers = PROOF_HEADERS if "file" in content else {}
        answer = content.get("file") or json.dumps(content).encode()
        with contextlib.suppress(OSError):  # it had no patience
            self.send_response(status)
            self.send_header("Content-Length", str(len(answer)))
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(answer)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Quiet."""


@pytest.fixture
def outside() -> Outside:
    return Outside()


@contextlib.contextmanager
def serving(outside: Outside) -> Iterator[str]:
    """Its base address, while it is served."""
    served = ThreadingHTTPServer(("127.0.0.1", 0), type("Served", (_Server,), {"outside": outside}))
    served.daemon_threads = True
    thread = threading.Thread(target=served.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{served.server_port}"
    served.shutdown()
    served.server_close()
    thread.join()


@pytest.fixture
def server(outside: Outside) -> Iterator[str]:
    with serving(outside) as address:
        yield address


@pytest.fixture
def deps(server: str) -> Deps:
    return deps_at("http://127.0.0.1:8080/console", server)


def deps_at(console_url: str, server: str, *, seconds: float = 5) -> Deps:
    return Deps(
        ConsoleSettings(
            company_name="空き家活用株式会社",
            console_url=console_url,
            staff_api_url=f"{server}/staff",
            cognito_domain=server,
            cognito_client_id=CLIENT,
            public_url="https://optin.example.jp",
        ),
        seconds,
    )


@dataclass
class Answer:
    """A response of the console."""

    raw: Mapping[str, Any]

    @property
    def status(self) -> int:
        return int(self.raw["statusCode"])

    @property
    def html(self) -> str:
        return str(self.raw["body"])

    @property
    def text(self) -> str:
        """What a person reads, on one line."""
        return " ".join(re.sub(r"<[^>]+>", " ", self.html).split())

    @property
    def headers(self) -> Mapping[str, str]:
        found: Mapping[str, str] = self.raw["headers"]
        return found

    @property
    def location(self) -> str:
        return self.headers["Location"]

    @property
    def cookies(self) -> list[str]:
        return list(self.raw.get("cookies", []))


@dataclass
class Tab:
    """A browser at the console: keeps cookies by path, follows nothing by itself."""

    deps: Deps
    outside: Outside
    jar: dict[tuple[str, str], str] = field(default_factory=dict)
    now: datetime = NOW
    as_list: bool = True  # API Gateway lists cookies; the stand-in leaves them in the headers

    def get(self, path: str, **query: str) -> Answer:
        return self.ask("GET", path, query)

    def post(self, path: str, headers: Mapping[str, str] | None = None, /, **fields: str) -> Answer:
        own = {"origin": self.deps.settings.origin, "sec-fetch-site": "same-origin"}
        sent = own if headers is None else headers
        return self.ask("POST", path, {}, urlencode(fields), sent)

    def ask(
        self,
        method: str,
        path: str,
        query: Mapping[str, str],
        body: str = "",
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        full = f"{self.deps.settings.prefix}{path}"
        cookies = [
            f"{name}={value}"
            for (name, scope), value in self.jar.items()
            if scope in ("/", full) or full.startswith(f"{scope}/")
        ]
        event: Json = {
            "version": "2.0",
            "routeKey": "ANY /{proxy+}",
            "rawPath": path,
            "queryStringParameters": dict(query),
            "headers": {"content-type": "application/x-www-form-urlencoded", **(headers or {})},
            "requestContext": {
                "http": {"method": method, "path": path, "sourceIp": "192.0.2.9"},
                "requestId": "request",
                "timeEpoch": int(self.now.timestamp() * 1000),
            },
            "body": body,
            "isBase64Encoded": False,
        }
        if self.as_list:
            event["cookies"] = cookies
        else:
            event["headers"]["cookie"] = "; ".join(cookies)
        context = SimpleNamespace(
            function_name="console",
            memory_limit_in_mb=128,
            invoked_function_arn="arn:aws:lambda:ap-northeast-1:000000000000:function:console",
            aws_request_id="request",
        )
        answer = Answer(handler(event, context, self.deps))  # type: ignore[arg-type]
        for cookie in answer.cookies:
            self._keep(cookie)
        return answer

    def _keep(self, cookie: str) -> None:
        pair, *attributes = cookie.split("; ")
        name, _, value = pair.partition("=")
        said = dict(each.partition("=")[::2] for each in attributes)
        self.jar[name, said["Path"]] = value
        if said.get("Max-Age") == "0":
            del self.jar[name, said["Path"]]

    def begin(self, path: str = "/pending") -> dict[str, str]:
        """Ask for a page and go to Cognito: what its address says."""
        sent = self.get(path)
        target = urlsplit(sent.location)
        again = self.get(
            target.path.removeprefix(self.deps.settings.prefix), **dict(parse_qsl(target.query))
        )
        return dict(parse_qsl(urlsplit(again.location).query))

    def sign_in(self, path: str = "/pending") -> Answer:
        asked = self.begin(path)
        code = self.outside.authorize(asked)
        return self.get("/callback", code=code, state=asked["state"])

    @property
    def session(self) -> dict[str, str]:
        return {name.split("-")[0].lstrip("_"): value for (name, _), value in self.jar.items()}


@pytest.fixture
def stranger(deps: Deps, outside: Outside) -> Tab:
    return Tab(deps, outside)


@pytest.fixture
def tab(stranger: Tab, outside: Outside) -> Tab:
    """Signed in as cs-sato of CS."""
    stranger.sign_in()
    outside.calls.clear()
    return stranger


@pytest.fixture
def logged() -> Iterator[list[str]]:
    """Every log record with all it carries."""
    records: list[str] = []

    class Listener(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            records.append(repr(record.__dict__))

    listener = Listener()
    logger.addHandler(listener)
    yield records
    logger._logger.removeHandler(listener)


# ---- signing in ----


def test_home_without_a_session_invites_to_sign_in(stranger: Tab, outside: Outside) -> None:
    answer = stranger.get("/")
    assert answer.status == 200
    assert 'href="/console/sign-in?next=/"' in answer.html
    assert outside.calls == []


def test_a_page_without_a_session_leads_to_cognito_and_back(
    stranger: Tab, outside: Outside
) -> None:
    asked = stranger.begin("/campaigns/new")
    assert asked["redirect_uri"] == "http://127.0.0.1:8080/console/callback"
    assert asked["scope"] == "openid email"
    code = outside.authorize(asked)
    answer = stranger.get("/callback", code=code, state=asked["state"])
    assert (answer.status, answer.location) == (303, "/console/campaigns/new")
    assert "cs-sato" in stranger.get("/campaigns/new").text


def test_tokens_are_out_of_reach_of_scripts_and_other_paths(stranger: Tab) -> None:
    cookies = stranger.sign_in().cookies
    assert len(cookies) == 3
    for cookie in cookies:
        assert "; HttpOnly" in cookie
        assert "; SameSite=Lax" in cookie
        assert re.search(r"; Path=/console(/callback)?(;|$)", cookie)
    assert not [name for name, path in stranger.jar if path.endswith("/callback")]


def test_over_tls_cookies_are_secure(server: str, outside: Outside) -> None:
    tab = Tab(deps_at("https://console.example.jp", server), outside)
    for cookie in tab.sign_in().cookies:
        assert "; Secure" in cookie
        prefix = "__Secure-" if "Path=/callback" in cookie else "__Host-"
        assert cookie.startswith(prefix)
        assert "Domain" not in cookie
    assert tab.get("/pending").status == 200


def test_cookies_may_come_among_the_headers(deps: Deps, outside: Outside) -> None:
    tab = Tab(deps, outside, as_list=False)
    tab.sign_in()
    assert tab.get("/pending").status == 200


@pytest.mark.parametrize("change", ["other", "", "missing"])
def test_a_wrong_state_is_refused(stranger: Tab, outside: Outside, change: str) -> None:
    asked = stranger.begin()
    code = outside.authorize(asked)
    given = {} if change == "missing" else {"state": change}
    answer = stranger.get("/callback", code=code, **given)
    assert answer.status == 400
    assert "サインインできませんでした" in answer.text
    assert outside.calls == []
    assert stranger.session == {"sign": stranger.session["sign"]}


def test_a_code_for_another_browser_is_refused(stranger: Tab, deps: Deps, outside: Outside) -> None:
    asked = stranger.begin()
    victim = Tab(deps, outside)
    victim.begin()
    answer = victim.get("/callback", code=outside.authorize(asked), state=asked["state"])
    assert answer.status == 400
    assert outside.calls == []


def test_the_verifier_is_checked(stranger: Tab, outside: Outside) -> None:
    asked = stranger.begin()
    code = outside.authorize({**asked, "code_challenge": "of-someone-else"})
    assert stranger.get("/callback", code=code, state=asked["state"]).status == 400
    assert "access" not in stranger.session


def test_a_code_works_once(stranger: Tab, outside: Outside) -> None:
    asked = stranger.begin()
    code = outside.authorize(asked)
    before = dict(stranger.jar)
    assert stranger.get("/callback", code=code, state=asked["state"]).status == 303
    stranger.jar = before
    assert stranger.get("/callback", code=code, state=asked["state"]).status == 400


def test_cognito_may_refuse(stranger: Tab) -> None:
    asked = stranger.begin()
    assert stranger.get("/callback", error="access_denied", state=asked["state"]).status == 400


def test_several_tabs_sign_in_at_the_same_time(stranger: Tab, outside: Outside) -> None:
    first, second = stranger.begin("/forms"), stranger.begin("/campaigns")
    for asked, path in ((first, "/forms"), (second, "/campaigns")):
        code = outside.authorize(asked)
        answer = stranger.get("/callback", code=code, state=asked["state"])
        assert answer.location == f"/console{path}"


@pytest.mark.parametrize("there", ["//evil.example", "https://evil.example", "/a\r\nb", "/\\evil"])
def test_signing_in_never_leads_elsewhere(stranger: Tab, outside: Outside, there: str) -> None:
    sent = stranger.get("/sign-in", next=there)
    asked = dict(parse_qsl(urlsplit(sent.location).query))
    code = outside.authorize(asked)
    location = stranger.get("/callback", code=code, state=asked["state"]).location
    assert re.fullmatch(r"/console/[a-z.]*", location)


def test_an_expired_token_is_renewed_on_the_way(tab: Tab, outside: Outside) -> None:
    old = tab.session["access"]
    tab.now += timedelta(minutes=59, seconds=30)
    outside.lasts = timedelta(hours=2)
    answer = tab.get("/pending")
    assert answer.status == 200
    assert outside.calls == ["POST /oauth2/token", "GET /registrations"]
    assert tab.session["access"] != old
    assert tab.session["refresh"]


def test_a_post_renews_too(tab: Tab, outside: Outside) -> None:
    tab.now += timedelta(hours=2)
    outside.lasts = timedelta(hours=4)
    answer = tab.post("/campaigns", subject="件名", body="本文")
    assert (answer.status, len(answer.cookies)) == (303, 1)
    assert len(outside.campaigns) == 1


def test_when_it_cannot_be_renewed_one_signs_in_again(tab: Tab, outside: Outside) -> None:
    outside.refresh_tokens.clear()
    tab.now += timedelta(hours=2)
    answer = tab.get("/pending")
    assert answer.location == "/console/sign-in?next=%2Fpending"
    assert tab.session == {}


def test_one_stays_signed_in_while_cognito_is_down(tab: Tab, outside: Outside) -> None:
    outside.cognito_down = True
    tab.now += timedelta(hours=2)
    answer = tab.get("/pending")
    assert answer.status == 503
    assert "サインインのサービスに接続できませんでした" in answer.text
    assert tab.session["refresh"]


def test_a_post_without_a_session_says_that_nothing_was_done(
    stranger: Tab, outside: Outside
) -> None:
    answer = stranger.post("/campaigns", subject="件名", body="本文")
    assert answer.status == 401
    assert "いまの操作は行われていません" in answer.text
    assert outside.calls == []


def test_a_token_the_api_refuses_does_not_go_round_in_circles(tab: Tab, outside: Outside) -> None:
    outside.tokens.clear()
    answer = tab.get("/pending")
    assert (answer.status, tab.session) == (200, {})
    assert 'href="/console/sign-in?next=/pending"' in answer.html


@pytest.mark.parametrize("cookie", ["x", "a.b.c", "a.W10.c", "a.eyJleHAiOiJ4In0.c", "." * 5])
def test_a_broken_cookie_is_no_session(stranger: Tab, outside: Outside, cookie: str) -> None:
    stranger.jar[f"access-{CLIENT[:8]}", "/console"] = cookie
    assert stranger.get("/pending").status == 303
    assert outside.calls == []


def test_signing_out_ends_the_session_everywhere(tab: Tab, outside: Outside) -> None:
    answer = tab.post("/sign-out")
    target = urlsplit(answer.location)
    assert (answer.status, target.path) == (303, "/logout")
    assert parse_qs(target.query) == {
        "client_id": [CLIENT],
        "logout_uri": ["http://127.0.0.1:8080/console/"],
    }
    assert tab.session == {}
    assert outside.refresh_tokens == set()


def test_signing_out_works_while_cognito_is_down(tab: Tab, outside: Outside) -> None:
    outside.faults["POST /oauth2/revoke"] = [lambda: b"drop"]
    assert tab.post("/sign-out").status == 303
    assert tab.session == {}


# ---- forged posts ----

OWN = "http://127.0.0.1:8080"


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"origin": "null"},
        {"origin": "https://evil.example"},
        {"origin": "http://127.0.0.1:8081"},
        {"origin": "https://evil.example", "sec-fetch-site": "same-origin"},
        {"origin": OWN, "sec-fetch-site": "cross-site"},
        {"origin": OWN, "sec-fetch-site": "same-site"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "none"},
    ],
)
@pytest.mark.parametrize("path", ["/campaigns", "/sign-out", "/unsubscriptions"])
def test_another_sites_post_is_refused(
    tab: Tab, outside: Outside, path: str, headers: dict[str, str]
) -> None:
    answer = tab.post(path, headers, subject="件名", body="本文", email=ADDRESS)
    assert answer.status == 403
    assert "ほかのサイトから送信された操作は受け付けません" in answer.text
    assert outside.calls == []
    assert tab.session["access"]


@pytest.mark.parametrize(
    "headers", [{"origin": OWN}, {"sec-fetch-site": "same-origin"},
                {"origin": OWN, "sec-fetch-site": "none"}],
)  # fmt: skip
def test_our_own_post_is_taken(tab: Tab, headers: dict[str, str]) -> None:
    assert tab.post("/campaigns", headers, subject="件名", body="本文").status == 303


# ---- pages ----


def test_home(tab: Tab, outside: Outside) -> None:
    outside.opt_in()
    outside.opt_in("hanako@example.jp")
    outside.draft("十一月のご案内")
    text = tab.get("/").text
    assert "確認待ち Waiting for confirmation 2 件" in text
    assert "十一月のご案内" in text
    assert "2026年11月24日(火) 15:04 作成" in text


def test_home_of_an_empty_system(tab: Tab) -> None:
    text = tab.get("/").text
    assert "確認を待っている申込みはありません。" in text
    assert "一斉メールはまだありません。" in text


def test_pending_registrations_are_confirmed(tab: Tab, outside: Outside) -> None:
    """A3: the advisor's button, and what it came to."""
    known = outside.opt_in()
    page = tab.get("/pending")
    for shown in (ADDRESS, "さくら市", "sakura-city", "2026年11月23日(月) 15:04"):
        assert shown in page.text
    answer = tab.post("/registrations", **hidden(page, "registrations"))
    assert answer.location == f"/console/pending?registered={known}"
    after = tab.get("/pending", registered=known)
    assert f"配信リストに登録しました {ADDRESS} に一斉メールを送れます。" in after.text
    assert "確認を待っている申込みはありません。" in after.text
    assert judge(outside.contact(known), Profile.MANUAL).eligible


def test_what_was_not_done_is_not_said_to_be(tab: Tab, outside: Outside) -> None:
    known = outside.opt_in()
    assert "登録しました" not in tab.get("/pending", registered=known).text
    assert "登録しました" not in tab.get("/pending", registered="../../x").text
    assert "記録しました" not in tab.get(f"/contacts/{known}", done="unsubscribed").text


def test_a_registered_address_that_cannot_be_mailed_says_why(tab: Tab, outside: Outside) -> None:
    known = outside.opt_in()
    tab.post("/registrations", **hidden(tab.get("/pending"), "registrations"))
    outside.record(Event(known, "b" * 24, EventKind.BOUNCED, NOW, Source.SES))
    text = tab.get("/pending", registered=known).text
    assert "登録しましたが、いまは送れません" in text
    assert "メール不達(宛先不明)" in text


@pytest.mark.parametrize("origin", ["pending", "contact"])
def test_a_refused_registration_shows_the_apis_reason(
    tab: Tab, outside: Outside, origin: str
) -> None:
    known = outside.opt_in()
    fields = hidden(tab.get("/pending"), "registrations")
    outside.refuse(known)
    answer = tab.post("/registrations", **fields, **{"from": origin})
    assert answer.status == 409
    assert "この申込みのあとに配信停止のお申し出があったため、登録できません" in answer.text
    assert 'role="alert"' in answer.html


def test_it_sees_what_waits_and_who_may_confirm(stranger: Tab, outside: Outside) -> None:
    """D2: the wording follows the permission, the API decides."""
    outside.teams = ("IT",)
    stranger.sign_in()
    known = outside.opt_in()
    for page in (stranger.get("/pending"), stranger.get(f"/contacts/{known}")):
        assert "登録できるのは CS・GS のアドバイザーです。" in page.text
        assert "/registrations" not in page.html
    outside.faults.clear()
    submission = outside.events[known][0].event_id
    answer = stranger.post("/registrations", contact_id=known, submission_id=submission)
    assert answer.status == 403
    assert "この操作を行う権限がありません。担当部署にご依頼ください。" in answer.text
    assert "作成と送信ができるのは CS・GS" in stranger.get("/campaigns").text
    assert stranger.post("/campaigns", subject="件名", body="本文").status == 403


def test_a_member_of_no_team_is_told_so(stranger: Tab, outside: Outside) -> None:
    outside.teams = ()
    stranger.sign_in()
    for path in ("/", "/pending", "/campaigns", "/forms"):
        answer = stranger.get(path)
        assert answer.status == 403
        assert "担当部署にご依頼ください。" in answer.text


def test_the_address_stays_out_of_the_address_bar(tab: Tab, outside: Outside) -> None:
    known = outside.opt_in()
    answer = tab.post("/lookup", email=f" {ADDRESS} ")
    assert answer.location == f"/console/contacts/{known}"


def test_a_contact_explained(tab: Tab, outside: Outside) -> None:
    known = outside.opt_in()
    page = tab.get(f"/contacts/{known}")
    assert "送れません May not receive campaigns" in page.text
    assert "配信に同意されていますが、アドバイザーの確認がまだ済んでいません。" in page.text
    assert page.html.count('aria-label="満たしています"') == 5
    assert page.html.count('aria-label="満たしていません"') == 1
    assert "マニュアル A3" in page.text
    assert WORDING.text in page.text
    assert WORDING.sha256 in page.text
    assert "入力されたアドレス: TARO@EXAMPLE.JP" in page.text
    assert "IPアドレス 192.0.2.1" in page.text
    answer = tab.post("/registrations", **hidden(page, "registrations"))
    assert answer.location == f"/console/contacts/{known}?done=registered"
    after = tab.get(f"/contacts/{known}", done="registered")
    assert "送れます May receive campaigns" in after.text
    assert "配信リストに登録しました この操作は記録されました。" in after.text
    assert "担当者 cs-sato" in after.text
    assert "/registrations" not in after.html


def test_nothing_to_confirm_after_a_refusal(tab: Tab, outside: Outside) -> None:
    known = outside.opt_in()
    outside.refuse(known)
    page = tab.get(f"/contacts/{known}")
    assert "/registrations" not in page.html
    assert "メール内のリンク 配信停止" in page.text
    assert "理由 メールが多すぎる" in page.text


def test_what_campaigns_did_with_a_contact(tab: Tab, outside: Outside) -> None:
    known = outside.opt_in()
    first, second = outside.draft("春のご案内"), outside.draft("夏のご案内")
    outside.entries[known] = [
        Entry(first, known, Outcome.SENT, NOW),
        Entry(second, known, Outcome.SKIPPED, NOW, "unsubscribed"),
    ]
    text = tab.get(f"/contacts/{known}").text
    assert "春のご案内 送信済み" in text
    assert "夏のご案内 送らなかった(条件を満たさない)" in text
    assert "理由: 配信停止" in text


def test_subjects_are_a_nicety(tab: Tab, outside: Outside) -> None:
    known = outside.opt_in()
    outside.entries[known] = [Entry(outside.draft(), known, Outcome.SENT, NOW)]
    outside.faults["GET /campaigns"] = [lambda: b"drop", lambda: b"drop"]
    page = tab.get(f"/contacts/{known}")
    assert (page.status, "0" * 12 in page.text) == (200, True)


@pytest.mark.parametrize("kind", ["html", "json"])
def test_the_proof_file_is_passed_on_byte_for_byte(tab: Tab, outside: Outside, kind: str) -> None:
    known = outside.opt_in()
    page = tab.get(f"/contacts/{known}")
    link = f'href="/console/contacts/{known}/proof?format={kind}"'
    assert link in page.html
    assert "証拠ファイルをダウンロード" in page.text
    outside.calls.clear()
    file = tab.get(f"/contacts/{known}/proof", format=kind)
    assert outside.calls == [f"GET /contacts/{known}/proof"]
    assert file.status == 200
    assert file.raw["isBase64Encoded"]
    assert base64.b64decode(file.html) == PROOF
    passed_on = {name.lower(): value for name, value in file.headers.items()}
    for name in ("Content-Type", "Content-Disposition", "Content-Security-Policy"):
        assert passed_on[name.lower()] == PROOF_HEADERS[name]
    assert "server-timing" not in passed_on
    assert passed_on["cache-control"] == "no-store"


def test_no_proof_of_a_stranger(tab: Tab) -> None:
    answer = tab.get(f"/contacts/{'0' * 32}/proof", format="html")
    assert answer.status == 404
    assert "このメールアドレスの記録はありません" in answer.text
    assert "Content-Disposition" not in answer.headers


def test_a_wish_to_stop_is_recorded(tab: Tab, outside: Outside) -> None:
    """S3: by phone, with the reason; in force at once."""
    known = outside.opt_in()
    answer = tab.post(f"/contacts/{known}/unsubscribe", reason="不要とのこと", channel="phone")
    assert answer.location == f"/console/contacts/{known}?done=unsubscribed"
    after = tab.get(f"/contacts/{known}", done="unsubscribed")
    assert "配信停止を記録しました いまこの時から、一斉メールは送られません。" in after.text
    assert "電話 配信停止 担当者 cs-sato 理由 不要とのこと" in after.text


def test_an_incomplete_wish_keeps_what_was_entered(tab: Tab, outside: Outside) -> None:
    known = outside.opt_in()
    answer = tab.post(f"/contacts/{known}/unsubscribe", reason=" ", channel="reply")
    assert answer.status == 422
    assert "<details open>" in answer.html
    assert 'value="reply" required checked' in answer.html
    assert 'aria-describedby="f-reason-hint f-reason-error" aria-invalid="true"' in answer.html
    assert len(outside.events[known]) == 1


def test_an_unknown_address_can_be_suppressed(tab: Tab, outside: Outside) -> None:
    page = tab.post("/lookup", email="nobody@example.jp")
    assert page.status == 404
    assert "nobody@example.jp の記録はありません。" in page.text
    fields = hidden(page, "unsubscriptions")
    again = tab.post("/unsubscriptions", **fields, channel="phone")
    assert (again.status, "<details open>" in again.html) == (422, True)
    answer = tab.post("/unsubscriptions", **fields, reason="不要", channel="phone")
    known = outside.id_of("nobody@example.jp")
    assert answer.location == f"/console/contacts/{known}?done=unsubscribed"
    after = tab.get(f"/contacts/{known}", done="unsubscribed")
    assert "アドレスなし" in after.text
    assert "配信停止を記録しました" in after.text


def test_a_mistyped_address_is_explained(tab: Tab) -> None:
    page = tab.post("/lookup", email="taro@@example.jp")
    assert page.status == 422
    assert 'value="taro@@example.jp"' in page.html
    assert 'id="f-email-error"' in page.html


def test_a_campaign_from_draft_to_result(tab: Tab, deps: Deps, outside: Outside) -> None:
    """U1: written, tested, approved by a colleague, looked at once more, sent, accounted for."""
    written = tab.post("/campaigns", subject="ご案内", body="一行目\r\n二行目")
    path = urlsplit(written.location).path.removeprefix("/console")
    known = path.rpartition("/")[2]
    assert outside.campaigns[known].body == "一行目\n二行目"
    draft = tab.get(path, done="saved")
    assert "保存しました 次は、テスト送信です。" in draft.text
    assert current(draft) == "テスト送信"
    assert "承認する" not in draft.text

    wrong = tab.post(f"{path}/test", to="taro@elsewhere.example")
    assert (wrong.status, 'id="f-to-error"' in wrong.html) == (422, True)
    assert 'value="taro@elsewhere.example"' in wrong.html
    assert tab.post(f"{path}/test", to=ADDRESS).location == f"/console{path}?done=test"
    own = tab.get(path, done="test")
    assert "テストメールを送りました" in own.text
    assert current(own) == "承認"
    assert "作成者本人は承認できません。ほかの担当者に依頼してください。" in own.text
    refused = tab.post(f"{path}/approve")
    assert refused.status == 403
    assert "作成・編集した本人は承認できません。" in refused.text

    outside.username, outside.teams = "gs-tanaka", ("GS",)
    colleague = Tab(deps, outside)
    colleague.sign_in()
    page = colleague.get(path)
    assert "作成者 cs-sato さんが承認を待っています。" in page.text
    colleague.post(f"{path}/approve", **hidden(page, f"{known}/approve"))
    approved = colleague.get(path, done="approve")
    assert "承認しました 送信または予約ができます。" in approved.text
    assert current(approved) == "予約・送信"
    assert "gs-tanaka 2026年11月24日(火) 15:04" in approved.text

    outside.opt_in()
    check = colleague.get(f"{path}/send")
    assert "送信したメールは取り消せません" in check.text
    assert "送れる人数 0 人" in check.text
    assert "送れない人数 1 人" in check.text
    assert outside.campaigns[known].status is CampaignStatus.APPROVED
    assert colleague.post(f"{path}/send").location == f"/console{path}"
    outside.entries["x"] = [
        Entry(known, f"{number:032x}", Outcome.SKIPPED, NOW, reason)
        for number, reason in enumerate(["unsubscribed", "bounced", "unsubscribed", "new_reason"])
    ] + [Entry(known, "f" * 32, Outcome.SENT, NOW)]
    outside.more[known] = {
        "received": {"delivered": 1234, "complained": 2, "unsubscribed": 3},
        "progress": {"fraction": 0.425, "per_second": 12.5, "seconds_left": 3700},
    }
    sending = tab.get(path)
    assert sending.headers["Refresh"] == "5"
    assert "進み具合 42% 毎秒 12.5 通 残り 約1時間2分" in sending.text
    assert "送信済み 1 件" in sending.text
    for reason in ("配信停止 2 件", "メール不達(宛先不明) 1 件", "new_reason 1 件"):
        assert reason in sending.text
    for heard in ("届いた 1,234 件", "迷惑メールの報告 2 件", "このメールから配信停止 3 件"):
        assert heard in sending.text
    assert "Refresh" not in tab.get(path, watch="off").headers
    assert tab.get(f"{path}/send").location == f"/console{path}"
    outside.change(known, status=CampaignStatus.DONE)
    outside.more.clear()
    done = tab.get(path)
    assert "Refresh" not in done.headers
    assert "送信完了" in done.text
    assert current(done) == ""


def test_two_people_do_not_overwrite_each_other(tab: Tab, outside: Outside) -> None:
    known = outside.draft()
    form = tab.get(f"/campaigns/{known}/edit")
    fields = hidden(form, f"{known}/edit")
    assert "本文です。</textarea>" in form.html
    outside.change(known, subject="別の件名", version=1)
    answer = tab.post(f"/campaigns/{known}/edit", **fields, subject="私の件名", body="私の本文")
    assert answer.status == 409
    assert "ほかの担当者が先に変更しました。" in answer.text
    assert "私の本文</textarea>" in answer.html
    assert hidden(answer, f"{known}/edit") == fields
    assert outside.campaigns[known].subject == "別の件名"
    outside.change(known, version=0)
    tab.post(f"/campaigns/{known}/edit", **fields, subject="私の件名", body="私の本文")
    assert outside.campaigns[known].subject == "私の件名"


def test_what_was_written_is_not_lost_with_the_api(tab: Tab, outside: Outside) -> None:
    known = outside.draft()
    path = f"/campaigns/{known}"
    outside.faults[f"PUT {path}"] = [lambda: b"drop"]
    outside.faults[f"GET {path}"] = [lambda: b"drop"] * 2
    answer = tab.post(f"{path}/edit", version="0", subject="件名", body="大切な本文")
    assert answer.status == 503
    assert "大切な本文</textarea>" in answer.html


def test_an_approval_is_of_what_was_seen(tab: Tab, outside: Outside) -> None:
    known = outside.tested(outside.draft(by="gs-tanaka"))
    fields = hidden(tab.get(f"/campaigns/{known}"), f"{known}/approve")
    outside.change(known, version=1)
    assert tab.post(f"/campaigns/{known}/approve", **fields).status == 409


def test_an_author_may_approve_where_the_setting_says_so(tab: Tab, outside: Outside) -> None:
    outside.author_may_approve = True
    known = outside.tested(outside.draft())
    fields = hidden(tab.get(f"/campaigns/{known}"), f"{known}/approve")
    assert tab.post(f"/campaigns/{known}/approve", **fields).status == 303


def test_editing_withdraws_an_approval_and_says_so(tab: Tab, outside: Outside) -> None:
    known = outside.approved()
    assert "保存すると、承認は取り消されます" in tab.get(f"/campaigns/{known}/edit").text
    tab.post(f"/campaigns/{known}/edit", subject="件名", body="本文", text="手書き")
    page = tab.get(f"/campaigns/{known}", done="saved")
    assert current(page) == "テスト送信"
    assert "テスト版" not in page.text
    assert "テキスト版(手書き) 手書き" in page.text


def test_what_is_sent_cannot_be_edited(tab: Tab, outside: Outside) -> None:
    known = outside.started()
    assert tab.get(f"/campaigns/{known}/edit").location == f"/console/campaigns/{known}"
    assert tab.post(f"/campaigns/{known}/edit", subject="件名", body="本文").status == 409


def test_an_audience_is_chosen_and_shown(tab: Tab, outside: Outside) -> None:
    earlier = outside.started(CampaignStatus.DONE, subject="春のご案内")
    form = tab.get("/campaigns/new")
    for shown in ("自治体LP", "さくら市 空き家相談", "春のご案内"):
        assert shown in form.text
    written = tab.post(
        "/campaigns",
        None,
        subject="件名",
        body="本文",
        registered_from="2026-01-01",
        registered_until="2026-03-31",
        not_received=earlier,
        **{"sources.phone": "on", "sources.web_form": "on", "form_ids.sakura-city": "on",
           "municipalities.さくら市": "on"},
    )  # fmt: skip
    path = urlsplit(written.location).path.removeprefix("/console")
    audience = outside.campaigns[path.rpartition("/")[2]].audience
    assert audience.sources == {Source.PHONE, Source.WEB_FORM}
    assert audience.registered_until == datetime(2026, 3, 31, 15, tzinfo=UTC)
    text = tab.get(path).text
    for shown in (
        "同意の経路 電話、Webフォーム",
        "フォーム さくら市 空き家相談",
        "自治体 さくら市",
        "登録日 2026年1月1日 から 2026年3月31日 まで",
        "受け取っていない方 「春のご案内」",
    ):
        assert shown in text
    again = tab.get(f"{path}/edit")
    assert 'name="registered_until" value="2026-03-31"' in again.html
    assert 'name="sources.phone" checked' in again.html
    assert f'value="{earlier}" selected' in again.html


def test_an_audience_from_elsewhere_is_not_changed_by_an_edit(tab: Tab, outside: Outside) -> None:
    """Moments within a day, places without a form, campaigns that are no more."""
    known = outside.draft()
    audience = Audience(
        sources=frozenset({Source.STAFF}),
        form_ids=frozenset({"gone"}),
        municipalities=frozenset({"もみじ市"}),
        registered_from=datetime(2026, 1, 1, 1, 30, 15, tzinfo=UTC),
        received="a" * 12,
    )
    outside.change(known, audience=audience)
    form = tab.get(f"/campaigns/{known}/edit")
    tab.post(f"/campaigns/{known}/edit", None, **entered(form, f"{known}/edit"))
    assert outside.campaigns[known].audience == audience


def test_a_date_that_is_none_is_refused_by_the_api(tab: Tab, outside: Outside) -> None:
    wrong = FieldProblem("date", "値が正しくありません。", "Wrong.")
    refusal = Unprocessable({"audience.registered_from": wrong})
    outside.faults["POST /campaigns"] = [lambda: refusal]
    page = tab.post("/campaigns", subject="件名", body="本文", registered_from="2026-02-31")
    assert page.status == 422
    assert 'aria-describedby="f-registered_from-error"' in page.html
    assert 'value="2026-02-31"' in page.html


def test_a_schedule_is_made_moved_and_taken_back(tab: Tab, outside: Outside) -> None:
    known = outside.approved()
    path = f"/campaigns/{known}"
    assert 'min="2026-11-24T15:04"' in tab.get(path).html
    past = tab.post(f"{path}/schedule", at="2020-01-01T10:00")
    assert past.status == 422
    assert "これから1年以内の日時を指定してください。" in past.text
    assert 'value="2020-01-01T10:00"' in past.html
    tab.post(f"{path}/schedule", at="2026-12-01T10:00")
    page = tab.get(path, done="schedule")
    assert "予約しました 2026年12月1日(火) 10:00 に送信を始めます。" in page.text
    assert "日時を変える" in page.text
    tab.post(f"{path}/unschedule")
    assert "予約を取り消しました" in tab.get(path, done="unschedule").text
    assert "予約しました" not in tab.get(path, done="schedule").text


def test_pause_resume_cancel_clone(tab: Tab, outside: Outside) -> None:
    known = outside.started()
    path = f"/campaigns/{known}"
    assert tab.get(f"{path}/resume").location == f"/console{path}"
    tab.post(f"{path}/pause")
    paused = tab.get(path, done="pause")
    assert "一時停止しました" in paused.text
    assert "一時停止中です。 理由: 担当者が止めました。" in paused.text
    outside.change(known, pause_reason=PauseReason.REPUTATION)
    assert "迷惑メールの報告(0.1%超)が多いため" in tab.get(f"{path}/resume").text
    tab.post(f"{path}/resume")
    assert "送信を再開しました" in tab.get(path, done="resume").text
    confirm = tab.get(f"{path}/cancel")
    assert "中止は取り消せません" in confirm.text
    assert outside.campaigns[known].status is CampaignStatus.SENDING
    tab.post(f"{path}/cancel")
    cancelled = tab.get(path, done="cancel")
    assert "中止しました これ以降は、だれにも送られません。" in cancelled.text
    again = tab.post(f"{path}/send")
    assert again.status == 409
    assert "同じ配信を二度送ることはできません。" in again.text
    cloned = tab.post(f"{path}/clone")
    copy = urlsplit(cloned.location).path.removeprefix("/console")
    page = tab.get(copy, done="cloned")
    assert "複製しました" in page.text
    assert f'href="/console{path}">複製元を見る' in page.html


def test_findings_block_or_warn(tab: Tab, outside: Outside) -> None:
    known = outside.draft()
    outside.findings = [
        Finding("link_insecure", Severity.ERROR, "リンクが https ではありません。", "", "body"),
        Finding("subject_long", Severity.WARNING, "件名が長めです。", "", "subject"),
    ]
    page = tab.get(f"/campaigns/{known}")
    assert "エラー 本文 リンクが https ではありません。" in page.text
    assert "注意 件名 件名が長めです。" in page.text
    assert "直すまで、承認も送信もできません。" in page.text
    assert f"{known}/test" not in page.html
    outside.findings = outside.findings[1:]
    assert f"{known}/test" in tab.get(f"/campaigns/{known}").html
    outside.findings = []
    assert "問題は見つかりませんでした。" in tab.get(f"/campaigns/{known}").text


def test_errors_of_an_approval_are_listed(tab: Tab, outside: Outside) -> None:
    known = outside.tested(outside.draft(by="gs-tanaka"))
    wrong = FieldProblem("link_insecure", "リンクが https ではありません。", "No.")
    outside.faults[f"POST /campaigns/{known}/approve"] = [lambda: Unprocessable({"body": wrong})]
    answer = tab.post(f"/campaigns/{known}/approve")
    assert answer.status == 422
    assert "できませんでした" in answer.text
    assert "リンクが https ではありません。" in answer.text


def test_a_campaign_is_shown_while_it_cannot_be_checked(tab: Tab, outside: Outside) -> None:
    known = outside.tested(outside.draft(by="gs-tanaka"))
    outside.faults[f"GET /campaigns/{known}/lint"] = [lambda: b"drop"] * 2
    page = tab.get(f"/campaigns/{known}")
    assert page.status == 200
    assert "内容の点検ができませんでした。" in page.text
    assert f"{known}/approve" not in page.html


def test_a_dry_run_counts_and_explains(tab: Tab, outside: Outside) -> None:
    known, person = outside.draft(), outside.opt_in()
    page = tab.get(f"/campaigns/{known}/dry-run")
    assert "送れる人数 0 人" in page.text
    assert "送れる相手がいません" in page.text
    assert "アドバイザーの確認" in page.text
    assert "1 人 例:" in page.text
    assert f'href="/console/contacts/{person}"' in page.html
    assert ADDRESS not in page.text
    assert "集計値です。" in page.text


def test_sending_is_possible_while_nobody_can_count(tab: Tab, outside: Outside) -> None:
    known = outside.approved()
    outside.faults[f"POST /campaigns/{known}/dry-run"] = [lambda: Unavailable("store")]
    page = tab.get(f"/campaigns/{known}/send")
    assert "いまは人数を確かめられません。" in page.text
    assert "送信する" in page.text


def test_did_this_person_get_it(tab: Tab, outside: Outside) -> None:
    known, person = outside.started(CampaignStatus.DONE), outside.opt_in()
    outside.entries[person] = [Entry(known, person, Outcome.SKIPPED, NOW, "not_confirmed")]
    path = f"/campaigns/{known}/recipients"
    link = f'href="/console{path}/{person}"'
    assert link in tab.get(f"/contacts/{person}").html
    assert tab.post(path, email=ADDRESS).location == f"/console{path}/{person}"
    page = tab.get(f"{path}/{person}")
    assert "送らなかった(条件を満たさない)" in page.text
    assert "の時点の記録で確かめています。" in page.text
    assert f'href="/console/contacts/{person}#e-' in page.html
    stranger = tab.post(path, email="nobody@example.jp")
    assert stranger.status == 404
    assert "このメールアドレスの記録はありません" in stranger.text
    wrong = tab.post(path, email="taro@@example.jp")
    assert 'id="f-email-error"' in wrong.html
    assert 'value="taro@@example.jp"' in wrong.html


def test_a_bounce_is_lifted_with_a_reason(tab: Tab, outside: Outside) -> None:
    known = outside.opt_in()
    tab.post("/registrations", **hidden(tab.get("/pending"), "registrations"))
    path = f"/contacts/{known}"
    assert "不達の解除" not in tab.get(path).text
    outside.record(
        Event(known, "b" * 24, EventKind.BOUNCED, NOW - timedelta(hours=1), Source.SES,
              {"reason": "unknown_or_filtered"})
    )  # fmt: skip
    page = tab.get(path)
    assert "届くことを本人に確認できたときだけ、解除してください。" in page.text
    assert "理由 宛先不明、または受信拒否の設定" in page.text
    blank = tab.post(f"{path}/lift-bounce", reason=" ")
    assert (blank.status, 'id="f-lift-error"' in blank.html) == (422, True)
    assert blank.html.count("<details open>") == 1
    answer = tab.post(f"{path}/lift-bounce", reason="電話で確認")
    assert answer.location == f"/console{path}?done=bounce_lifted"
    after = tab.get(path, done="bounce_lifted")
    assert "不達を解除しました 理由とともに記録されました。" in after.text
    assert "担当者 cs-sato 理由 電話で確認" in after.text
    assert "/lift-bounce" not in after.html
    assert tab.post(f"{path}/lift-bounce", reason="もう一度").status == 409


def test_where_somebody_lives_is_recorded(tab: Tab, outside: Outside) -> None:
    path = f"/contacts/{outside.opt_in()}"
    page = tab.get(path)
    assert "お住まいの地域の記録はありません。" in page.text
    answer = tab.post(f"{path}/residence", region="EU")
    assert answer.location == f"/console{path}?done=residence_stated"
    after = tab.get(path, done="residence_stated")
    assert "お住まいの地域を記録しました" in after.text
    assert "EU・EEA・英国にお住まいと記録されています。" in after.text
    assert "担当者 cs-sato 地域 EU・EEA・英国" in after.text


def test_a_residence_that_is_refused_opens_its_own_form_again(tab: Tab, outside: Outside) -> None:
    path = f"/contacts/{outside.opt_in()}"
    outside.teams = ("GS",)
    answer = tab.post(f"{path}/residence", region="EU")
    assert answer.status == 403
    assert "この操作を行う権限がありません" in answer.text


def test_who_handles_no_requests_records_no_residence(stranger: Tab, outside: Outside) -> None:
    outside.teams = ("GS",)
    stranger.sign_in()
    page = stranger.get(f"/contacts/{outside.opt_in()}")
    assert "記録できるのは CS・IT です。" in page.text
    assert "/residence" not in page.html


def test_it_sees_a_bounce_and_cannot_lift_it(stranger: Tab, outside: Outside) -> None:
    outside.teams = ("IT",)
    stranger.sign_in()
    known = outside.opt_in()
    outside.record(Event(known, "b" * 24, EventKind.BOUNCED, NOW, Source.SES))
    page = stranger.get(f"/contacts/{known}")
    assert "解除できるのは CS・GS のアドバイザーです。" in page.text
    assert "/lift-bounce" not in page.html
    assert stranger.post(f"/contacts/{known}/lift-bounce", reason="理由").status == 403


@pytest.mark.parametrize("status", CampaignStatus)
def test_who_only_reads_sees_no_action(
    stranger: Tab, outside: Outside, status: CampaignStatus
) -> None:
    outside.teams = ("IT",)
    stranger.sign_in()
    known = outside.started(status, scheduled_for=NOW)
    page = stranger.get(f"/campaigns/{known}")
    assert "作成・承認・送信ができるのは CS・GS のアドバイザーです。" in page.text
    actions = set(re.findall(r'<form[^>]*action="([^"]*)"', page.html))
    assert actions <= {"/console/sign-out", f"/console/campaigns/{known}/recipients"}


def test_a_campaign_with_nobody_to_send_to(tab: Tab, outside: Outside) -> None:
    known = outside.started(CampaignStatus.DONE)
    assert "送る条件を満たす宛先がありませんでした。" in tab.get(f"/campaigns/{known}").text


def test_an_incomplete_campaign_keeps_what_was_written(tab: Tab) -> None:
    answer = tab.post("/campaigns", subject="", body="大切な本文 <b>")
    assert answer.status == 422
    assert "件名を1行、1〜100文字で入力してください。" in answer.text
    assert "大切な本文 &lt;b&gt;</textarea>" in answer.html


def test_forms_are_linked(tab: Tab) -> None:
    page = tab.get("/forms")
    assert 'href="https://optin.example.jp/forms/sakura-city"' in page.html
    assert 'href="https://optin.example.jp/forms/sakura-city/embed"' in page.html
    assert WORDING.text in page.text


def test_at_a_root_links_have_no_prefix(server: str, outside: Outside) -> None:
    tab = Tab(deps_at("https://console.example.jp", server), outside)
    assert tab.sign_in().location == "/pending"
    assert 'href="/campaigns"' in tab.get("/").html
    assert tab.get("/", next="x").status == 200


@pytest.mark.parametrize("path", ["/nowhere", "/contacts/xyz", "/campaigns/../x", "/contacts/"])
def test_an_unknown_page(tab: Tab, path: str) -> None:
    assert tab.get(path).status == 404


def test_a_wrong_method_names_the_right_ones(tab: Tab) -> None:
    answer = tab.ask("PUT", "/lookup", {})
    assert (answer.status, answer.headers["Allow"]) == (405, "GET, POST")
    assert tab.get("/registrations").headers["Allow"] == "POST"
    assert tab.ask("HEAD", "/lookup", {}).status == 200


@pytest.mark.parametrize("body", ["a=%ff", "a=1&a=2", "a=%00", "x=" + "y" * 70_000])
def test_an_unreadable_post_is_refused(tab: Tab, outside: Outside, body: str) -> None:
    answer = tab.ask("POST", "/lookup", {}, body, {"origin": OWN})
    assert 400 <= answer.status < 500
    assert outside.calls == []


# ---- when the API is not well ----


def test_a_get_is_asked_twice(tab: Tab, outside: Outside) -> None:
    for fault in (lambda: b"drop", lambda: b"bad gateway", lambda: Unavailable("store")):
        outside.faults["GET /forms"] = [fault]
        assert tab.get("/forms").status == 200


def test_and_not_more_often(tab: Tab, outside: Outside) -> None:
    outside.faults["GET /forms"] = [lambda: b"drop"] * 5
    answer = tab.get("/forms")
    assert answer.status == 503
    assert "ただいま接続できませんでした。" in answer.text
    assert outside.calls == ["GET /forms"] * 2


@pytest.mark.parametrize("fault", [b"drop", b"bad gateway"])
def test_a_post_is_never_repeated_and_may_have_happened(
    tab: Tab, outside: Outside, fault: bytes
) -> None:
    outside.faults["POST /campaigns"] = [lambda: fault] * 3
    answer = tab.post("/campaigns", subject="件名", body="本文")
    assert answer.status in (502, 503)
    assert "操作は完了しているかもしれません。" in answer.text
    assert "本文</textarea>" in answer.html
    assert outside.calls.count("POST /campaigns") == 1


def test_a_post_the_api_could_not_do_shows_its_own_words(tab: Tab, outside: Outside) -> None:
    outside.faults["POST /campaigns"] = [lambda: Unavailable("store")]
    answer = tab.post("/campaigns", subject="件名", body="本文")
    assert answer.status == 503
    assert "ただいま処理できませんでした。" in answer.text


def test_a_post_that_surely_did_not_arrive_says_only_that(tab: Tab, deps: Deps) -> None:
    nobody_listens = "http://127.0.0.1:9/staff"
    tab.deps = Deps(replace(deps.settings, staff_api_url=nobody_listens))
    answer = tab.post("/campaigns", subject="件名", body="本文")
    assert answer.status == 503
    assert "ただいま接続できませんでした。" in answer.text
    assert "かもしれません" not in answer.text


def test_a_slow_api_does_not_outlast_the_page(tab: Tab, outside: Outside, server: str) -> None:
    tab.deps = deps_at(tab.deps.settings.console_url, server, seconds=0.3)
    answered = threading.Event()

    def keep_waiting() -> None:
        answered.wait(30)

    outside.faults["GET /forms"] = [keep_waiting]
    answer = tab.get("/forms")  # comes although the API still keeps us waiting
    answered.set()
    assert answer.status == 503


# ---- what every page keeps to ----


def every_page(tab: Tab, outside: Outside) -> dict[str, Answer]:
    known, campaign = outside.opt_in(), outside.approved()
    ids = {"contact_id": known, "campaign_id": campaign, "step": "cancel"}
    pages = {}
    for pattern, methods in PAGES.items():
        # The proof is a file, not a page of ours; requests have tests of their own.
        other = pattern.endswith("/proof") or pattern.startswith(("/requests", "/received"))
        if "GET" in methods and not other:
            path = re.sub(r"\(\?P<(\w+)>[^)]*\)", lambda match: ids[match[1]], pattern)
            pages[path] = tab.get(path)
    pages["unknown address"] = tab.post("/lookup", email="nobody@example.jp")
    pages["nowhere"] = tab.get("/nowhere")
    return pages


def check_page(name: str, page: Answer) -> None:
    """Japanese, without script, under the policy, with every reference leading somewhere."""
    assert '<html lang="ja">' in page.html, name
    assert page.html.count("<h1") == 1, name
    assert not re.search(r"<script|\son\w+=|\sstyle=|javascript:", page.html), name
    policy = page.headers["Content-Security-Policy"]
    assert "default-src 'none'; style-src 'self'" in policy
    assert "script-src" not in policy
    assert "frame-ancestors 'none'" in policy
    assert page.headers["Cache-Control"] == "no-store"
    assert page.headers["X-Content-Type-Options"] == "nosniff"
    ids = re.findall(r'\sid="([^"]+)"', page.html)
    assert len(ids) == len(set(ids)), name
    for target in re.findall(r'(?:for|aria-labelledby|aria-describedby)="([^"]+)"', page.html):
        assert set(target.split()) <= set(ids), name


def test_every_page_is_japanese_without_script_and_says_where_one_is(
    tab: Tab, outside: Outside
) -> None:
    pages = every_page(tab, outside)
    titles = [re.search("<title>(.*?)</title>", page.html) for page in pages.values()]
    assert len({title[1] for title in titles if title}) == len(pages) - 1  # lookup is there twice
    for name, page in pages.items():
        check_page(name, page)


def test_no_token_reaches_a_page_or_a_log(
    stranger: Tab, outside: Outside, logged: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    outside.opt_in()
    stranger.sign_in()
    pages = every_page(stranger, outside)
    stranger.now += timedelta(hours=2)
    outside.lasts = timedelta(hours=4)
    stranger.get("/")
    stranger.get("/callback", code="code-of-nobody", state="state-of-nobody")
    outside.faults["GET /forms"] = [lambda: b"drop"] * 2
    stranger.get("/forms")
    outside.tokens.clear()
    stranger.get("/forms")
    assert logged
    secrets = {*outside.tokens, *outside.refresh_tokens, "code-", "state-of-nobody", "c2lnbmF0dXJl"}
    said = "".join(logged) + capsys.readouterr().out
    for secret in secrets:
        assert secret not in said
        for page in pages.values():
            assert secret not in page.html
    for personal in (ADDRESS, "nobody@example.jp"):
        assert personal not in said


def test_what_people_write_is_shown_as_text(tab: Tab, outside: Outside) -> None:
    hostile = '"><script>alert(1)</script>'
    known = outside.approved()
    outside.change(known, subject=hostile, body=hostile, text=hostile)
    for page in (
        tab.get(f"/campaigns/{known}"),
        tab.get(f"/campaigns/{known}/edit"),
        tab.get(f"/campaigns/{known}/send"),
        tab.get(f"/campaigns/{known}/cancel"),
        tab.get("/"),
        tab.post("/lookup", email=hostile),
        tab.post("/campaigns", subject="", body=hostile),
    ):
        assert "<script" not in page.html
        assert "&lt;script&gt;" in page.html


def test_the_style_sheet_is_kept_by_browsers_until_it_changes(
    stranger: Tab, outside: Outside
) -> None:
    sheet = stranger.get(style_path())
    assert sheet.headers["Content-Type"] == "text/css; charset=utf-8"
    assert "immutable" in sheet.headers["Cache-Control"]
    assert ".timeline" in sheet.html
    assert ".banner" in sheet.html
    assert f'href="/console{style_path()}"' in stranger.get("/").html


def hidden(page: Answer, action: str) -> dict[str, str]:
    """What the page's form for ``action`` sends by itself."""
    form = re.search(rf'<form[^>]*action="[^"]*/{action}">(.*?)</form>', page.html, re.DOTALL)
    assert form, action
    return dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', form[1]))


def entered(page: Answer, action: str) -> dict[str, str]:
    """What a browser would post for ``action`` if nothing were changed."""
    form = re.search(rf'<form[^>]*action="[^"]*/{action}">(.*?)</form>', page.html, re.DOTALL)
    assert form, action
    found: dict[str, str] = {}
    for tag in re.findall(r"<input[^>]*>", form[1]):
        attributes = dict(re.findall(r'(\w+)="([^"]*)"', tag))
        if attributes["type"] != "checkbox":
            found[attributes["name"]] = attributes.get("value", "")
        elif " checked" in tag:
            found[attributes["name"]] = "on"
    found.update(re.findall(r'<textarea[^>]*name="(\w+)"[^>]*>\n(.*?)</textarea>', form[1]))
    for name, options in re.findall(r'<select[^>]*name="(\w+)">(.*?)</select>', form[1], re.DOTALL):
        chosen = re.search(r'value="([^"]*)" selected', options)
        found[name] = chosen[1] if chosen else ""
    return found


def current(page: Answer) -> str:
    """The step of a campaign's life that comes now."""
    step = re.search(r'aria-current="step">(.*?)</p>', page.html, re.DOTALL)
    return re.sub(r"<.*?>", "", step[1]).split("いまここ:")[1].strip() if step else ""
