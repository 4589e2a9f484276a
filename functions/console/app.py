"""The staff console: one Lambda that shows the staff API to people, without data of its own.

It holds no permission on anything. Whoever is signed in brings a token, and what that token
opens in the staff API is what they see. Everything works without JavaScript.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import urlencode

from aws_lambda_powertools.utilities.typing import LambdaContext

from functions.console import campaigns, requests, views
from functions.console.api import ApiError, Http, SignedOut, StaffApi, Unreachable
from functions.console.render import page, redirect, style, style_path
from functions.console.session import Session, Sessions, SignInError
from functions.console.settings import ConsoleSettings
from functions.console.views import Response, Visit
from shared.adapters.http import Request
from shared.domain.errors import MethodNotAllowed, NotAllowed, NotFound, OptinError
from shared.settings import load
from shared.telemetry import logger


@dataclass(frozen=True)
class Deps:
    """What the console works with. ``seconds`` are all a page may take, below the function's."""

    settings: ConsoleSettings
    seconds: float = 17


@cache
def default_deps() -> Deps:
    """The dependencies of the running function."""
    return Deps(load(ConsoleSettings, os.environ))


View = Callable[[Visit], Response]
_CONTACT = r"/contacts/(?P<contact_id>[0-9a-f]{32})"
_CAMPAIGN = r"/campaigns/(?P<campaign_id>[0-9a-f]{12})"
_REQUEST = r"/requests/(?P<case_id>[0-9a-f]{32})"
_MAIL = r"(?P<mail_id>[0-9a-f]{24,64})"
PAGES: Mapping[str, Mapping[str, View]] = {
    r"/": {"GET": views.home},
    r"/pending": {"GET": views.pending},
    r"/registrations": {"POST": views.confirm},
    r"/lookup": {"GET": views.lookup, "POST": views.find},
    r"/unsubscriptions": {"POST": views.unsubscribe_unknown},
    _CONTACT: {"GET": views.contact},
    rf"{_CONTACT}/proof": {"GET": views.proof},
    rf"{_CONTACT}/unsubscribe": {"POST": views.unsubscribe},
    rf"{_CONTACT}/lift-bounce": {"POST": views.lift_bounce},
    rf"{_CONTACT}/residence": {"POST": views.residence},
    r"/campaigns": {"GET": campaigns.every, "POST": campaigns.write},
    r"/campaigns/new": {"GET": campaigns.new},
    _CAMPAIGN: {"GET": campaigns.show},
    rf"{_CAMPAIGN}/edit": {"GET": campaigns.edit, "POST": campaigns.save},
    rf"{_CAMPAIGN}/dry-run": {"GET": campaigns.dry_run},
    rf"{_CAMPAIGN}/send": {"GET": campaigns.check, "POST": campaigns.send},
    rf"{_CAMPAIGN}/(?P<step>resume|cancel)": {"GET": campaigns.confirm, "POST": campaigns.move},
    rf"{_CAMPAIGN}/(?P<step>test|approve|schedule|unschedule|pause)": {"POST": campaigns.move},
    rf"{_CAMPAIGN}/clone": {"POST": campaigns.clone},
    rf"{_CAMPAIGN}/recipients": {"POST": campaigns.find_recipient},
    rf"{_CAMPAIGN}/recipients/(?P<contact_id>[0-9a-f]{{32}})": {"GET": campaigns.recipient},
    r"/requests": {"GET": requests.every, "POST": requests.take},
    r"/requests/new": {"GET": requests.new},
    _REQUEST: {"GET": requests.show},
    rf"{_REQUEST}/approve": {"GET": requests.check, "POST": requests.approve},
    rf"{_REQUEST}/(?P<step>{'|'.join(requests.STEPS)})": {"POST": requests.move},
    rf"{_REQUEST}/mails/{_MAIL}": {"GET": requests.raw},
    r"/received": {"GET": requests.unanswered},
    rf"/received/{_MAIL}/open": {"POST": requests.open_received},
    r"/forms": {"GET": views.forms},
}
_NEXT = re.compile(r"/[a-z0-9/_-]*")


class WrongMethod(MethodNotAllowed):
    """The page exists; ``allow`` names its methods."""

    def __init__(self, methods: Iterable[str]) -> None:
        self.allow = ", ".join(sorted(methods))
        super().__init__("method", "この操作には対応していません。", f"Allowed: {self.allow}.")


@logger.inject_lambda_context
def handler(
    event: dict[str, Any],
    context: LambdaContext,  # noqa: ARG001 (the decorator reads it)
    deps: Deps | None = None,
) -> Mapping[str, Any]:
    """Answer one request of a browser."""
    deps = deps or default_deps()
    request = Request(event)
    with Http(deps.seconds) as http:
        try:
            return _answer(deps, request, Sessions(deps.settings, http, request))
        except OptinError as error:
            return _refused(deps.settings, error)
        except Unreachable:
            logger.warning("sign-in service unreachable")
            return _problem(
                deps.settings,
                None,
                503,
                "サインインを確認できません",
                "サインインのサービスに接続できませんでした。少し待って、もう一度お試しください。",
            )


def _answer(deps: Deps, request: Request, sessions: Sessions) -> Response:
    method = "GET" if request.method == "HEAD" else request.method
    path = str(request.event["rawPath"]).rstrip("/") or "/"
    if method == "POST":
        _require_own_page(deps.settings, request)
    if path == style_path() and method == "GET":
        return style()
    if (path, method) in _SIGNING:
        return _SIGNING[path, method](sessions)
    view, ids = _find(path, method)
    session = sessions.current()
    if session is None:
        return _signed_out(sessions, method, path)
    api = StaffApi(sessions.http, deps.settings.staff_api_url, session.access)
    try:
        response = view(Visit(deps.settings, request, session.person, api, ids))
    except SignedOut:
        return _token_refused(sessions, method, path)
    except ApiError as error:
        logger.info("api refused", extra={"status": error.status})
        response = _problem(
            deps.settings, session, error.status, _TITLES.get(error.status, _TITLE), error.ja
        )
    response.setdefault("cookies", []).extend(session.cookies)
    return response


def _find(path: str, method: str) -> tuple[View, Mapping[str, str]]:
    for pattern, methods in PAGES.items():
        match = re.fullmatch(pattern, path)
        if match and method in methods:
            return methods[method], match.groupdict()
        if match:
            raise WrongMethod(methods)
    raise NotFound("unknown_page", "このページはありません。", "There is no such page.")


def _require_own_page(settings: ConsoleSettings, request: Request) -> None:
    """Only our own pages may post here; browsers say where a post comes from.

    Raises:
        NotAllowed: another site's page, or nobody says.
    """
    origin = request.headers.get("origin")
    site = request.headers.get("sec-fetch-site")
    ours = origin == settings.origin or (origin is None and site == "same-origin")
    if not ours or site in ("cross-site", "same-site"):
        raise NotAllowed(
            "foreign_post",
            "ほかのサイトから送信された操作は受け付けません。コンソールの画面から操作してください。",
            "Another site's page posted this.",
        )


# ---- signing in and out ----


def _sign_in(sessions: Sessions) -> Response:
    asked = sessions.request.query.get("next", "")
    location, cookie = sessions.start(asked if _NEXT.fullmatch(asked) else "/")
    return redirect(location, (cookie,))


def _callback(sessions: Sessions) -> Response:
    settings, query = sessions.settings, sessions.request.query
    state, code = query.get("state", ""), query.get("code", "")
    started = sessions.started(state)
    if started is None or not code:
        logger.warning("sign-in refused", extra={"known_state": started is not None})
        return _again(settings)
    try:
        session = sessions.finish(state, code, started.verifier)
    except SignInError:
        return _again(settings)
    logger.info("signed in", extra={"operator": session.person.username})
    onwards = started.next if _NEXT.fullmatch(started.next) else "/"
    return redirect(f"{settings.prefix}/{onwards.lstrip('/')}", session.cookies)


def _again(settings: ConsoleSettings) -> Response:
    return page("sign_in.html", settings, None, status=400, why="failed", next="/")


def _sign_out(sessions: Sessions) -> Response:
    return redirect(sessions.end(), sessions.forget())


_SIGNING: Mapping[tuple[str, str], Callable[[Sessions], Response]] = {
    ("/sign-in", "GET"): _sign_in,
    ("/callback", "GET"): _callback,
    ("/sign-out", "POST"): _sign_out,
}


def _signed_out(sessions: Sessions, method: str, path: str) -> Response:
    """Nobody is signed in: to the sign-in and back. A post is not repeated after it."""
    if method != "GET" or path == "/":
        return _token_refused(sessions, method, path)
    query = urlencode({"next": path})
    return redirect(f"{sessions.settings.prefix}/sign-in?{query}", sessions.forget())


def _token_refused(sessions: Sessions, method: str, path: str) -> Response:
    """The page that leads to the sign-in. Going there unasked would go round in circles where
    the API refuses the new token too.
    """
    is_post = method != "GET"
    response = page(
        "sign_in.html",
        sessions.settings,
        None,
        status=401 if is_post else 200,
        why="expired" if is_post else "",
        next="/" if is_post else path,
    )
    return {**response, "cookies": list(sessions.forget())}


# ---- errors ----


def _refused(settings: ConsoleSettings, error: OptinError) -> Response:
    logger.info("refused", extra={"code": error.code, "status": error.status})
    response = _problem(settings, None, error.status, error.title_ja, error.ja)
    if isinstance(error, WrongMethod):
        response["headers"]["Allow"] = error.allow
    return response


def _problem(
    settings: ConsoleSettings, session: Session | None, status: int, title: str, detail: str
) -> Response:
    person = session.person if session else None
    return page(
        "problem.html", settings, person, status=status, code=status, title=title, detail=detail
    )


_TITLE = "処理できませんでした"
_TITLES = {
    403: "権限がありません",
    404: "見つかりません",
    409: "この操作はできません",
    422: "入力内容をご確認ください",
    429: "操作が集中しています",
    502: "ただいま接続できません",
    503: "ただいま接続できません",
}
