"""Signing in with Cognito's own page (authorization code with PKCE), and staying signed in.

The tokens live in cookies that no script and no other path can read. What the console reads
from a token is for showing only: the staff API's authorizer verifies it on every call.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from functions.console.api import Http, Reply, Unreachable
from functions.console.settings import ConsoleSettings
from shared.adapters.http import Request
from shared.domain.teams import Permission, Team, may
from shared.telemetry import logger

SCOPES = "openid email"
_MINUTES_TO_SIGN_IN = 10
_EARLY = 60  # seconds: a token about to expire is renewed before it is used
_KEPT = 12 * 60 * 60  # the refresh token's own validity


@dataclass(frozen=True)
class Person:
    """Who is signed in, as their token says."""

    username: str
    teams: frozenset[Team]

    def may(self, permission: str) -> bool:
        """Whether to offer an action. Whether it is allowed, the API decides."""
        return may(self.teams, Permission(permission))


@dataclass(frozen=True)
class Session:
    """A signed-in person and their access token; ``cookies`` are to be set anew."""

    person: Person
    access: str
    cookies: tuple[str, ...] = ()


@dataclass(frozen=True)
class Started:
    """What a sign-in in progress left in the browser."""

    verifier: str
    next: str


class SignInError(Exception):
    """Cognito does not accept the code or the refresh token."""


@dataclass(frozen=True)
class Sessions:
    """The cookies of one request, and Cognito's token endpoint."""

    settings: ConsoleSettings
    http: Http
    request: Request

    # ---- signing in ----

    def start(self, next_path: str) -> tuple[str, str]:
        """Where to send the browser, and the cookie that knows it again."""
        state, verifier = secrets.token_urlsafe(24), secrets.token_urlsafe(48)
        challenge = _base64(hashlib.sha256(verifier.encode()).digest())
        query = urlencode(
            {
                "response_type": "code",
                "client_id": self.settings.cognito_client_id,
                "redirect_uri": self._callback,
                "scope": SCOPES,
                "state": state,
                "code_challenge": challenge,
                "code_challenge_method": "S256",
            }
        )
        note = _base64(
            json.dumps({"state": state, "verifier": verifier, "next": next_path}).encode()
        )
        return (
            f"{self.settings.cognito_domain}/oauth2/authorize?{query}",
            self._started_cookie(state, note, 60 * _MINUTES_TO_SIGN_IN),
        )

    def started(self, state: str) -> Started | None:
        """The sign-in this browser began with ``state``, or None: then it is refused."""
        name = self._name(_started_name(state), self._callback_path)
        note = _object(self._sent.get(name, ""))
        known = str(note.get("state", ""))
        if not known or not secrets.compare_digest(known.encode(), state.encode()):
            return None
        return Started(str(note.get("verifier", "")), str(note.get("next", "")))

    def finish(self, state: str, code: str, verifier: str) -> Session:
        """Exchange the code for tokens.

        Raises:
            SignInError: the code is not (or no longer) valid.
            Unreachable: Cognito does not answer.
        """
        reply = self._tokens(
            grant_type="authorization_code",
            code=code,
            redirect_uri=self._callback,
            code_verifier=verifier,
        )
        access, refresh = _access_token(reply), str(reply.get("refresh_token", ""))
        return Session(
            _person(access),
            access,
            (
                self._cookie("access", access),
                self._cookie("refresh", refresh, _KEPT),
                self._started_cookie(state, "", 0),
            ),
        )

    # ---- signed in ----

    def current(self) -> Session | None:
        """Who is signed in. An access token about to expire is renewed on the way.

        Raises:
            Unreachable: it cannot be renewed now; the person stays signed in.
        """
        access = self._held("access")
        now = self.request.at.timestamp()
        if _claims(access).get("exp", 0) > now + _EARLY:
            return Session(_person(access), access)
        refresh = self._held("refresh")
        if not refresh:
            return None
        try:
            reply = self._tokens(grant_type="refresh_token", refresh_token=refresh)
            access = _access_token(reply)
        except SignInError:
            return None
        cookies = [self._cookie("access", access)]
        if rotated := reply.get("refresh_token"):
            cookies.append(self._cookie("refresh", str(rotated), _KEPT))
        return Session(_person(access), access, tuple(cookies))

    # ---- signing out ----

    def forget(self) -> tuple[str, ...]:
        """Cookies that end the session in this browser."""
        return (self._cookie("access", "", 0), self._cookie("refresh", "", 0))

    def end(self) -> str:
        """End the session at Cognito too; where to send the browser for that."""
        refresh = self._held("refresh")
        if refresh:
            try:
                self._post("revoke", token=refresh)
            except Unreachable:
                logger.warning("token not revoked")
        query = urlencode(
            {
                "client_id": self.settings.cognito_client_id,
                "logout_uri": f"{self.settings.console_url}/",
            }
        )
        return f"{self.settings.cognito_domain}/logout?{query}"

    # ---- Cognito ----

    @property
    def _callback(self) -> str:
        return f"{self.settings.console_url}/callback"

    def _tokens(self, **fields: str) -> dict[str, Any]:
        reply = self._post("token", **fields)
        if reply.status >= 500:
            raise Unreachable(maybe_done=False)
        if reply.status != 200:
            logger.info("tokens refused", extra={"grant": fields["grant_type"]})
            raise SignInError
        return reply.json()

    def _post(self, path: str, **fields: str) -> Reply:
        return self.http.send(
            "POST",
            f"{self.settings.cognito_domain}/oauth2/{path}",
            {"Content-Type": "application/x-www-form-urlencoded"},
            urlencode({"client_id": self.settings.cognito_client_id, **fields}).encode(),
        )

    # ---- cookies ----

    @property
    def _sent(self) -> Mapping[str, str]:
        """API Gateway lists cookies by themselves, the local stand-in among the headers."""
        listed = self.request.event.get("cookies") or []
        pairs = [*listed, *self.request.headers.get("cookie", "").split(";")]
        found = (pair.strip().partition("=") for pair in pairs)
        return {name: value for name, _, value in found}

    def _held(self, name: str) -> str:
        return self._sent.get(self._name(name, self._path), "")

    def _name(self, name: str, path: str) -> str:
        """Browsers vouch for the prefix: set over TLS, and by this very host.

        Cookies are shared among ports, so two local copies differ by their client's id.
        """
        mark = f"{name}-{self.settings.cognito_client_id[:8]}"
        if not self.settings.is_secure:
            return mark
        return f"__Host-{mark}" if path == "/" else f"__Secure-{mark}"

    @property
    def _path(self) -> str:
        return self.settings.prefix or "/"

    @property
    def _callback_path(self) -> str:
        return f"{self.settings.prefix}/callback"

    def _cookie(
        self, name: str, value: str, max_age: int | None = None, path: str | None = None
    ) -> str:
        path = path or self._path
        age = "" if max_age is None else f"; Max-Age={max_age}"
        secure = "; Secure" if self.settings.is_secure else ""
        return f"{self._name(name, path)}={value}; Path={path}{age}{secure}; HttpOnly; SameSite=Lax"

    def _started_cookie(self, state: str, note: str, max_age: int) -> str:
        return self._cookie(_started_name(state), note, max_age, self._callback_path)


def _started_name(state: str) -> str:
    """One for each sign-in begun, so that several tabs can sign in at the same time."""
    return f"sign-in-{hashlib.sha256(state.encode()).hexdigest()[:8]}"


def _access_token(reply: Mapping[str, Any]) -> str:
    token = reply.get("access_token")
    if not isinstance(token, str) or not token:
        raise SignInError
    return token


def _person(access: str) -> Person:
    claims = _claims(access)
    groups = claims.get("cognito:groups", [])
    return Person(
        str(claims.get("username", "")),
        frozenset(Team(group) for group in groups if group in Team.__members__),
    )


def _claims(token: str) -> dict[str, Any]:
    """What a token says, unverified; nothing where it is no token."""
    parts = token.split(".")
    claims = _object(parts[1]) if len(parts) == 3 else {}
    is_sound = isinstance(claims.get("exp", 0), int) and isinstance(
        claims.get("cognito:groups", []), list
    )
    return claims if is_sound else {}


def _base64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _object(text: str) -> dict[str, Any]:
    """A JSON object in base64url, or an empty one."""
    try:
        found = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
