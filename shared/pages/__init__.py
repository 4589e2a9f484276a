"""The public HTML pages: strings in, one complete page out. No clock, no request, no AWS.

Pages need no JavaScript and load nothing: the style sheet stands in the page, so that

    default-src 'none'; style-src {style_hash()}; form-action 'self' …; base-uri 'none';
    frame-ancestors 'none'

is a policy they work under. Links and form targets are relative and keep any path prefix.
Handlers import this package on their first HTML answer, and it imports Jinja2 on its first
page: an answer in JSON pays for neither.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from functools import cache
from http import HTTPStatus
from itertools import count
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from shared.domain.company import Company
from shared.domain.errors import FieldProblem
from shared.domain.events import UNSUBSCRIBE_REASONS
from shared.domain.forms import ExtraField, Form, FormKind
from shared.domain.intake import LIKELY_TYPO
from shared.domain.retention import JAPAN
from shared.pages.strings import strings
from shared.texts import consent, dates
from shared.texts.consent import Language, TextId

if TYPE_CHECKING:
    from jinja2 import Environment

Lang = Language
_T = TypeVar("_T")

STATUSES = ("opted_in", "not_opted_in", "notified")
FILE = "file"
# The kinds of requests, spelled out: every page would load the rules of cases otherwise.
CONFIRMATIONS = (
    "disclosure", "correction", "erasure", "stop_use", "inquiry", "new_address", FILE,
)  # fmt: skip
OVER = ("link_used", "link_expired", "link_void", "already_verified", "case_closed")

_HERE = Path(__file__).parent
_NONE: Mapping[str, str] = MappingProxyType({})
_NO_PROBLEMS: Mapping[str, FieldProblem] = MappingProxyType({})
_LONGEST_LINE = 200  # a field that takes more is shown as a text area
_AUTOCOMPLETE = {  # WCAG 1.3.5: what browsers can fill in for people, by usual field names
    "name": "name",
    "full_name": "name",
    "tel": "tel",
    "phone": "tel",
    "company": "organization",
    "organization": "organization",
    "postal_code": "postal-code",
    "address": "street-address",
}


def form_page(
    form: Form,
    company: Company,
    *,
    language: Lang,
    rendered_at: str,
    values: Mapping[str, str] = _NONE,
    opt_in: bool = False,
    problems: Mapping[str, FieldProblem] = _NO_PROBLEMS,
    notice: str = "",
) -> str:
    """The hosted form; after an error with what the person entered, and what is wrong.

    ``opt_in`` is what the person chose on the form shown before, never a default.
    ``notice`` is a sentence in ``language`` for what concerns no single field. Where the form
    asks about a likely slip in the address, sending the same address again confirms it.
    """
    asked = (problem := problems.get("email")) is not None and problem.code == LIKELY_TYPO
    fields = [*_fields(form, language, values, problems)]
    has_box = form.kind is FormKind.MUNICIPAL_LP
    return _page(
        "form.html",
        company,
        language,
        switch="?lang=",
        form=form,
        fields=fields,
        summary=[*_summary(fields, problems, language, has_box=has_box)],
        optin_error=_message(problems.get("opt_in"), language),
        opt_in=opt_in,
        rendered_at=rendered_at,
        notice=notice,
        asked_about=values.get("email", "") if asked else "",
        **_consent(form, language),
    )


def thanks_page(form: Form, company: Company, *, language: Lang, status: str) -> str:
    """What was received, the state of consent, and what happens next (guideline A14).

    Raises:
        ValueError: ``status`` is none of ``STATUSES``.
    """
    if status not in STATUSES:
        raise ValueError(status)
    return _page(
        "thanks.html",
        company,
        language,
        switch=f"?status={status}&lang=",
        form=form,
        status=status,
        **_consent(form, language),
    )


def embed_page(form: Form, company: Company, *, language: Lang, action_url: str) -> str:
    """For a municipality's web person: the snippet, how to use it, and how it looks."""
    return _page(
        "embed.html",
        company,
        language,
        switch="?lang=",
        form=form,
        fields=[*_fields(form, language, _NONE, _NO_PROBLEMS)],
        snippet=embed_snippet(form, language=language, action_url=action_url, company=company),
        **_consent(form, language),
    )


def embed_snippet(
    form: Form, *, language: Lang, action_url: str, company: Company | None = None
) -> str:
    """A plain HTML form for another site's page; with ``company`` it says who 「当社」 is."""
    return _render(
        "snippet.html",
        language,
        form=form,
        fields=[*_fields(form, language, _NONE, _NO_PROBLEMS)],
        action_url=action_url,
        company_name=_name(company, language) if company else "",
        **_consent(form, language),
    )


def problem_page(
    company: Company,
    *,
    language: Lang,
    status: int,
    title_ja: str,
    detail_ja: str,
    detail_en: str,
) -> str:
    """An error in words, in both languages: it may answer a POST, so there is no switch."""
    try:
        title_en = HTTPStatus(status).phrase
    except ValueError:
        title_en = "Error"
    texts = {Language.JA: (title_ja, detail_ja), Language.EN: (title_en, detail_en)}
    return _page(
        "problem.html", company, language, status=status, texts=_own_language_first(texts, language)
    )


def unsubscribe_page(company: Company, *, language: Lang, masked: str, already: bool) -> str:
    """What one button will do, for a masked address; its form posts to the page's own URL."""
    return _page(
        "unsubscribe.html", company, language, switch="?lang=", masked=masked, already=already
    )


def unsubscribed_page(company: Company, *, language: Lang, path: str, reason_noted: bool) -> str:
    """It is done; an undo by an explicit yes, and an optional reason that gates nothing.

    ``path`` is ``/u/{token}`` as seen from the page shown: ``{token}`` on ``/u/{token}``,
    ``../{token}`` on ``/u/{token}/reason``.
    """
    return _page(
        "unsubscribed.html",
        company,
        language,
        switch=f"{path}?lang=",
        path=path,
        reason_noted=reason_noted,
        reasons=UNSUBSCRIBE_REASONS,
        wording=consent.current(TextId.OPTIN_CHECKBOX).wording(language),
    )


def resubscribed_page(company: Company, *, language: Lang) -> str:
    """The explicit yes was taken. It answers a POST: both languages instead of a switch."""
    texts = {each: strings(each) for each in Language}
    return _page("resubscribed.html", company, language, texts=_own_language_first(texts, language))


def confirm_page(
    company: Company,
    *,
    language: Lang,
    what: str,
    masked: str,
    until: datetime,
    due: date,
    by_itself: bool = False,
) -> str:
    """What one button does about a request, and until when; its form posts to the page's own URL.

    ``what`` is one of ``CONFIRMATIONS``; ``due`` is the day promised. ``by_itself``: an erasure
    needs nobody's approval.
    """
    t = strings(language)
    lines = [*_numbered(f"confirm_{what}", t, by_itself=by_itself)]
    if what != FILE:
        lines.append(t["confirm_due"].format(due=dates.day(due, language)))
    return _page(
        "confirm.html",
        company,
        language,
        switch="?lang=",
        what=what,
        masked=masked,
        lines=lines,
        until=_moment(until, language),
        nothing=t["confirm_file_nothing" if what == FILE else "confirm_nothing"],
    )


def confirmed_page(
    company: Company, *, language: Lang, what: str, due: date, by_itself: bool = False
) -> str:
    """It is confirmed: what happens next, and by when. As ``confirm_page``, but for the file."""
    t = strings(language)
    lines = [*_numbered(f"confirmed_{what}", t, by_itself=by_itself)]
    lines.append(t["confirm_due"].format(due=dates.day(due, language)))
    return _told(company, language, t["confirmed_title"], lines, works=True)


def already_confirmed_page(company: Company, *, language: Lang, at: datetime) -> str:
    """It was confirmed before, and when: pressing again changes nothing."""
    t = strings(language)
    lines = [*_numbered("already_confirmed", t, at=_moment(at, language))]
    return _told(company, language, t["already_confirmed_title"], lines, works=True)


def link_over_page(company: Company, *, language: Lang, code: str, at: datetime | None) -> str:
    """A genuine link that no longer works: why, and what to do. ``code`` is one of ``OVER``.

    ``at`` is when the file was fetched, or when the link expired.
    """
    t = strings(language)
    shown = _moment(at, language) if at else ""
    lines = [*_numbered(f"over_{code}", t, at=shown, until=shown)]
    return _told(company, language, t[f"over_{code}_title"], lines, works=False)


def _told(company: Company, language: Lang, title: str, lines: list[str], *, works: bool) -> str:
    """It may answer a POST; its other language is the same address, which then says the same."""
    return _page(
        "confirmed.html", company, language, switch="?lang=", title=title, lines=lines, works=works
    )


def _numbered(
    name: str, t: Mapping[str, str], *, by_itself: bool = False, **values: str
) -> Iterator[str]:
    """The sentences ``{name}_1`` and so on."""
    for number in count(1):
        key = f"{name}_{number}"
        if key not in t:
            return
        special = f"{key}_by_itself"
        yield t[special if by_itself and special in t else key].format(**values)


def _moment(at: datetime, language: Lang) -> str:
    return dates.moment(at.astimezone(JAPAN), language)


@cache
def style_hash() -> str:
    """The Content-Security-Policy source that allows the pages' one style sheet."""
    digest = hashlib.sha256(_css().encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


class _Field(NamedTuple):
    """One text field as a template shows it."""

    name: str
    label: str
    label_lang: str  # "" where the label is in the page's language
    required: bool
    hint: str
    value: str
    autocomplete: str
    multiline: bool
    is_email: bool
    error: str
    suggestion: str


class _Mistake(NamedTuple):
    """One line of the error summary."""

    target: str  # id of the field, or "" when the page shows none of that name
    label: str
    message: str


def _fields(
    form: Form, language: Lang, values: Mapping[str, str], problems: Mapping[str, FieldProblem]
) -> Iterator[_Field]:
    """The declared fields, then the address, so that it stands beside its consent text."""
    t = strings(language)
    mail = ExtraField("email", t["email"], t["email"], required=True)
    for extra in (*form.fields, mail):
        is_email = extra is mail
        in_japanese = language is Language.JA or not extra.label_en
        multiline = extra.max_length > _LONGEST_LINE
        hint = t["length_hint"].format(count=extra.max_length) if multiline else ""
        problem = problems.get(extra.name)
        yield _Field(
            name=extra.name,
            label=extra.label_ja if in_japanese else extra.label_en,
            label_lang=str(Language.JA) if in_japanese and language is not Language.JA else "",
            required=extra.required,
            hint=t["email_hint"] if is_email else hint,
            value=values.get(extra.name, ""),
            autocomplete="email" if is_email else _AUTOCOMPLETE.get(extra.name, ""),
            multiline=multiline,
            is_email=is_email,
            error=_message(problem, language),
            suggestion=(problem.suggestion or "") if problem else "",
        )


def _summary(
    fields: list[_Field], problems: Mapping[str, FieldProblem], language: Lang, *, has_box: bool
) -> Iterator[_Mistake]:
    labels = {field.name: field.label for field in fields}
    if has_box:
        labels["opt_in"] = strings(language)["optin_title"]
    known = [name for name in labels if name in problems]
    for name in known:
        yield _Mistake(f"f-{name}", labels[name], _message(problems[name], language))
    for name in sorted(problems.keys() - labels.keys()):
        yield _Mistake("", "", _message(problems[name], language))


def _message(problem: FieldProblem | None, language: Lang) -> str:
    if problem is None:
        return ""
    return problem.ja if language is Language.JA else problem.en


def _consent(form: Form, language: Lang) -> dict[str, object]:
    return {
        "title": form.title_ja if language is Language.JA else form.title_en,
        "has_box": form.kind is FormKind.MUNICIPAL_LP,
        "wording": form.consent.wording(language),
        "purpose": form.purpose.wording(language),
    }


def _own_language_first(texts: Mapping[Language, _T], language: Lang) -> list[tuple[str, _T]]:
    return [(str(each), texts[each]) for each in sorted(Language, key=lambda x: x is not language)]


def _name(company: Company, language: Lang) -> str:
    return company.name if language is Language.JA else company.name_en or company.name


def _page(
    template: str, company: Company, language: Lang, *, switch: str = "", **context: object
) -> str:
    """A whole page. ``switch`` is the address of its other language, up to ``lang=``."""
    other = Language.EN if language is Language.JA else Language.JA
    return _render(
        template,
        language,
        company=company,
        company_name=_name(company, language),
        names={str(each): _name(company, each) for each in Language},
        contact_href=_href(company.contact),
        css=_css(),
        switch=f"{switch}{other}" if switch else "",
        other=str(other),
        **context,
    )


def _href(contact: str) -> str:
    if contact.startswith(("https://", "http://")):
        return contact
    if re.fullmatch(r"[^\s@:]+@[^\s@:]+", contact):
        return f"mailto:{contact}"
    number = re.sub(r"[-()\s]", "", contact)
    return f"tel:{number}" if re.fullmatch(r"\+?[0-9]{9,15}", number) else ""


def _render(template: str, language: Lang, **context: object) -> str:
    return (
        _environment()
        .get_template(template)
        .render(t=strings(language), language=str(language), **context)
    )


@cache
def _environment() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined  # noqa: PLC0415  (see above)

    return Environment(
        loader=FileSystemLoader(_HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )


@cache
def _css() -> str:
    """The style sheet as it stands in the page: without comments and indentation."""
    text = (_HERE / "style.css").read_text(encoding="utf-8")
    return re.sub(r"/\*.*?\*/|\n\s*", "", text, flags=re.DOTALL)
