"""From the fields of a form post to the one fact it proves (manual A1, A2, A4, A6)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from urllib.parse import urlsplit

from shared.domain.address import Address, AddressError, contact_id, parse_address, suggest
from shared.domain.errors import FieldProblem, Unprocessable
from shared.domain.events import Event, EventKind, Source, event_id, parse_stamp
from shared.domain.forms import Form, FormKind
from shared.texts import consent
from shared.texts.consent import Language, Wording

MIN_FILL_TIME = timedelta(seconds=2)
_TICKED = frozenset({"on", "true", "1", "yes"})
_NOT_TICKED = frozenset({"", "off", "false", "0", "no"})
_MAX_USER_AGENT = 300


LIKELY_TYPO = "likely_typo"


class SubmissionStatus(StrEnum):
    """What a submission proves, in the words of the public contract."""

    OPTED_IN = "opted_in"
    NOT_OPTED_IN = "not_opted_in"
    NOTIFIED = "notified"


_EVENT_OF = {
    SubmissionStatus.OPTED_IN: EventKind.OPTED_IN,
    SubmissionStatus.NOT_OPTED_IN: EventKind.BOX_LEFT_UNTICKED,
    SubmissionStatus.NOTIFIED: EventKind.NOTIFIED,
}


@dataclass(frozen=True, slots=True)
class Submission:
    """A form post that was read and found sound."""

    form: Form
    address: Address
    status: SubmissionStatus
    wording: Wording
    page_url: str
    extra: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class RequestEvidence:
    """How the post reached us, kept as evidence (manual A2)."""

    request_id: str
    at: datetime
    source_ip: str
    user_agent: str


def read_submission(
    form: Form, fields: Mapping[str, str], *, referer: str, now: datetime
) -> Submission:
    """Check the posted fields of a form. Undeclared fields are ignored and not kept.

    Raises:
        Unprocessable: naming every wrong field.
    """
    problems: dict[str, FieldProblem] = {}
    address = _read_address(fields, problems)
    status = _read_status(form, fields, problems)
    wording = _read_wording(form, fields, problems)
    extra = _read_extra(form, fields, problems)
    _check_human(fields, now, problems)
    if problems or address is None or status is None or wording is None:
        raise Unprocessable(problems)
    return Submission(
        form, address, status, wording, _page(fields.get("page_url") or referer), extra
    )


def ask_about_typo(submission: Submission, fields: Mapping[str, str]) -> None:
    """Where a person can be asked, ask once whether a likely slip is what they meant.

    Sending the same address again, by the page that asked, confirms it.

    Raises:
        Unprocessable: the address looks like a slip and was not confirmed.
    """
    likely = suggest(submission.address.used)
    if likely and fields.get("confirmed_email") != fields["email"]:
        raise Unprocessable(
            {
                "email": FieldProblem(
                    LIKELY_TYPO,
                    "メールアドレスに打ち間違いがないか、ご確認ください。"
                    "このままでよければ、もう一度送信してください。",
                    "Please check the address for a slip. If it is right, send the form again.",
                    likely,
                )
            }
        )


def submission_event(
    submission: Submission, evidence: RequestEvidence, contact_key: bytes
) -> Event:
    """The fact a submission proves, with its exact wording and request evidence."""
    form, address = submission.form, submission.address
    kind = _EVENT_OF[submission.status]
    purpose = form.purpose.wording(submission.wording.language)
    return Event(
        contact_id=contact_id(address.lookup, contact_key),
        event_id=event_id(evidence.request_id, kind),
        kind=kind,
        at=evidence.at,
        source=Source(form.kind.value),
        details={
            "form_id": form.form_id,
            "municipality": form.municipality,
            "purpose": purpose.ref,
            "purpose_sha256": purpose.sha256,
            "page_url": submission.page_url,
            "request_id": evidence.request_id,
        },
        personal={
            "address": address.used,
            "typed": address.typed,
            "address_kind": address.kind.value,
            "source_ip": evidence.source_ip,
            "user_agent": evidence.user_agent[:_MAX_USER_AGENT],
            **{f"field.{name}": value for name, value in submission.extra.items()},
        },
        wording=submission.wording,
    )


def is_ticked(value: str) -> bool:
    """Whether a checkbox was posted as ticked, by a browser or a program."""
    return value.strip().lower() in _TICKED


def _read_address(fields: Mapping[str, str], problems: dict[str, FieldProblem]) -> Address | None:
    typed = fields.get("email", "")
    if not typed.strip():
        problems["email"] = FieldProblem(
            "required", "メールアドレスを入力してください。", "Enter your e-mail address."
        )
        return None
    try:
        return parse_address(typed)
    except AddressError as error:
        problems["email"] = FieldProblem(error.code, error.ja, error.en, error.suggestion)
        return None


def _read_status(
    form: Form, fields: Mapping[str, str], problems: dict[str, FieldProblem]
) -> SubmissionStatus | None:
    if form.kind is not FormKind.MUNICIPAL_LP:
        return SubmissionStatus.NOTIFIED
    answer = fields.get("opt_in", "").strip().lower()
    if is_ticked(answer):
        return SubmissionStatus.OPTED_IN
    if answer in _NOT_TICKED:
        return SubmissionStatus.NOT_OPTED_IN
    problems["opt_in"] = FieldProblem(
        "not_a_choice",
        "チェックボックスの値が正しくありません。",
        "The checkbox has an unknown value.",
    )
    return None


def _read_wording(
    form: Form, fields: Mapping[str, str], problems: dict[str, FieldProblem]
) -> Wording | None:
    """The wording that was shown: named by the page, else the form's own in its language."""
    ref = fields.get("wording", "")
    if not ref:
        english = fields.get("lang", "") == Language.EN
        return form.consent.wording(Language.EN if english else Language.JA)
    wording = consent.by_ref(ref)
    if wording is None or wording.text_id is not form.consent_id:
        problems["wording"] = FieldProblem(
            "unknown_wording",
            "表示された同意文言を確認できませんでした。ページを開き直してください。",
            "The wording shown is not known. Please open the page again.",
        )
        return None
    return wording


def _read_extra(
    form: Form, fields: Mapping[str, str], problems: dict[str, FieldProblem]
) -> dict[str, str]:
    kept: dict[str, str] = {}
    for extra in form.fields:
        value = fields.get(extra.name, "").strip()
        if not value and extra.required:
            problems[extra.name] = FieldProblem(
                "required",
                f"「{extra.label_ja}」を入力してください。",
                f"Enter: {extra.label_en}.",
            )
        elif len(value) > extra.max_length:
            problems[extra.name] = FieldProblem(
                "too_long",
                f"「{extra.label_ja}」は{extra.max_length}文字以内で入力してください。",
                f"At most {extra.max_length} characters: {extra.label_en}.",
            )
        elif value:
            kept[extra.name] = value
    return kept


def _check_human(
    fields: Mapping[str, str], now: datetime, problems: dict[str, FieldProblem]
) -> None:
    """What the hosted form adds only ever makes it stricter; a plain post has neither field."""
    if fields.get("website", ""):
        problems["website"] = FieldProblem(
            "honeypot",
            "この欄は空のまま送信してください。",
            "Leave this field empty.",
        )
    rendered = fields.get("rendered_at", "")
    if rendered and not _filled_in_time(rendered, now):
        problems["rendered_at"] = FieldProblem(
            "too_fast",
            "送信が早すぎました。数秒おいて、もう一度送信してください。",
            "That was very quick. Please wait a few seconds and send again.",
        )


def _filled_in_time(rendered: str, now: datetime) -> bool:
    try:
        return now - parse_stamp(rendered) >= MIN_FILL_TIME
    except (ValueError, TypeError):
        return False


def _page(url: str) -> str:
    """Scheme, host and path of the page; its query may be personal and is not kept."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    if parts.scheme not in {"http", "https"} or not parts.netloc:
        return ""
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"[:500]
