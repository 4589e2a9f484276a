"""Mails to one person about what they wrote: answers, links to confirm, and how a request ended.

Text and HTML in the look of a campaign, in the person's language and in short in the other. They
carry nothing the person wrote and nothing that is on record, only their own address, masked;
whoever forges a request learns nothing by its answer. They are no bulk mail, so there is no
List-Unsubscribe; RFC 3834's headers keep other programs from answering them.
"""

from __future__ import annotations

import re
import string
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Final, NamedTuple
from unicodedata import category

from shared.domain.address import AddressError, parse_address
from shared.domain.company import Company
from shared.domain.events import parse_stamp
from shared.domain.retention import JAPAN
from shared.mail import rendering
from shared.mail.compose import Message
from shared.texts import dates, replies
from shared.texts.consent import Language
from shared.texts.replies import REPLIES, WISHES, Said, Section


class ReplyKind(StrEnum):
    """What a mail to one person says."""

    STOPPED = "stopped"  # the stop they asked for by reply is done
    CONFIRM_STOP = "confirm_stop"  # link: was it they who asked to stop?
    ASK_IDENTITY = "ask_identity"  # link: was it they who asked for something else?
    RECEIVED = "received"  # staff will answer
    HELD = "held"  # staff will answer; no campaigns until then
    DISCLOSURE_READY = "disclosure_ready"  # link: the file, once
    NOTHING_HELD = "nothing_held"
    NEW_ADDRESS = "new_address"  # link, to the new address: is it theirs?
    CORRECTED = "corrected"
    ERASED = "erased"  # the certificate
    STOP_USE_DONE = "stop_use_done"
    REFUSED = "refused"  # ``text``: why
    DONE = "done"  # ``text``, if any: what was done
    STAFF = "staff"  # ``text``: staff's own words


WITH_LINK: Final = frozenset(
    {
        ReplyKind.CONFIRM_STOP,
        ReplyKind.ASK_IDENTITY,
        ReplyKind.DISCLOSURE_READY,
        ReplyKind.NEW_ADDRESS,
    }
)
"""Kinds that need ``link`` and ``expires_at``."""

FACTS: Final = ("kind", "at", "events", "mails", "cases")
"""Names of facts: what was asked for (a kind of case); of an erasure, when it was done (as
``events.stamp`` writes it) and of how many records, mails and cases it took something away."""

_NOTHING: Mapping[str, str] = MappingProxyType({})
# SES takes 995 characters of printable ASCII as a header's value.
_LONGEST_HEADER = 900
_TOKEN = re.compile(r"[A-Za-z0-9_-]*")
# Only what is one message id, in one line, survives: a header is never repeated as it came.
_MESSAGE_ID = re.compile(r"<(?=[^<>]*@)[!-;=?-~]{3,250}>")


class _Block(NamedTuple):
    """One language's part of the mail, filled in."""

    language: Language
    said: Said
    opening: str
    closing: str
    no_button: str


def reply(
    kind: ReplyKind,
    *,
    to: str,
    language: Language,
    company: Company,
    mail_domain: str,
    public_url: str,
    link: str = "",
    expires_at: datetime | None = None,
    case_id: str = "",
    in_reply_to: str = "",
    references: str = "",
    due_on: date | None = None,
    text: str = "",
    facts: Mapping[str, str] = _NOTHING,
) -> Message:
    """The mail of this kind. The same arguments make the same mail.

    ``link`` is the token (``links.sign_case``), which works until ``expires_at``. ``due_on`` is
    the day promised. ``text`` is staff's, in whatever language they wrote. ``facts``: see FACTS.

    Raises:
        ValueError: a kind with a link comes without one, another one with it, or it is no token.
    """
    if {bool(link), expires_at is not None} != {kind in WITH_LINK}:
        raise ValueError(f"{kind} and its link")
    if not _TOKEN.fullmatch(link):
        raise ValueError("a link is a token")
    url = f"{public_url}/v/{link}" if link else ""

    def block(of: Language) -> _Block:
        column = _column(of)
        values = {
            "company": company.name if of is Language.JA else company.name_en or company.name,
            "masked": _masked(to),
            "until": dates.moment(expires_at.astimezone(JAPAN), of) if expires_at else "",
            "due": dates.day(due_on, of) if due_on else "",
            "at": _at(facts, of),
            "wish": WISHES.get(facts.get("kind", ""), WISHES[""])[column],
            "text": _lines(text),
            **{name: facts.get(name, "") for name in ("events", "mails", "cases")},
        }
        return _Block(
            of,
            _filled(REPLIES[kind][column], values),
            replies.OPENING[column].format_map(values),
            replies.CLOSING[column],
            replies.NO_BUTTON[column],
        )

    own = block(language)
    other = block(Language.EN if language is Language.JA else Language.JA)
    html = rendering.page("reply.html").render(
        own=own,
        other=other,
        link=url,
        case_id=case_id,
        company=company,
        contact_link=company.contact if company.contact.startswith("https://") else "",
    )
    address = f"optin@{mail_domain}"
    return Message(
        sender=rendering.mailbox(company.name, address),
        reply_to=address,
        to=to,
        subject=own.said.subject,
        text=_text(own, other, url, case_id, company),
        html=rendering.with_dark_mode(rendering.inlined(html)),
        headers=_headers(kind, in_reply_to, references),
        tags={"case": case_id} if case_id else {},
    )


def _column(language: Language) -> int:
    return 0 if language is Language.JA else 1


def _masked(to: str) -> str:
    try:
        return parse_address(to).masked
    except AddressError:
        return ""


def _at(facts: Mapping[str, str], language: Language) -> str:
    if "at" not in facts:
        return ""
    return dates.moment(parse_stamp(facts["at"]).astimezone(JAPAN), language)


def _lines(text: str) -> str:
    """With line ends of one kind, without control characters and halves of characters."""
    lines = re.sub(r"\r\n?", "\n", text).strip()
    return "".join(c for c in lines if c in "\n\t" or category(c) not in {"Cc", "Cs"})


# ---- words ----


def _filled(said: Said, values: Mapping[str, str]) -> Said:
    return said._replace(
        lead=tuple(_each(said.lead, values)),
        brief=tuple(_each(said.brief, values)),
        after=tuple(_each(said.after, values)),
        sections=tuple(
            Section(section.title, tuple(_each(section.items, values))) for section in said.sections
        ),
    )


def _each(paragraphs: tuple[str, ...], values: Mapping[str, str]) -> Iterator[str]:
    """Filled in; without those that would have a hole."""
    for paragraph in paragraphs:
        names = [name for _, name, _, _ in string.Formatter().parse(paragraph) if name]
        if all(values[name] for name in names):
            yield paragraph.format_map(values)


def _text(own: _Block, other: _Block, link: str, case_id: str, company: Company) -> str:
    said = own.said
    parts = [own.opening, *said.lead]
    if link:
        parts.append(f"▼ {said.button}\n{link}")
    parts += [
        "\n".join([f"■ {title}", *(f"・{item}" for item in items)])
        for title, items in said.sections
    ]
    parts += [*said.after, own.closing]
    if other.said.brief:
        parts += [_RULE, *other.said.brief]
        if link:
            parts.append(f"▼ {other.said.button}\n{link}")
    foot = [
        f"送信者 / Sender: {company.name} ({company.name_en})",
        f"住所 / Address: {company.address}",
        f"お問い合わせ / Contact: {company.contact}",
    ]
    if case_id:
        foot.insert(0, f"受付番号 / Reference number: {case_id}")
    return "\n\n".join([*parts, "\n".join([_RULE, *foot])]) + "\n"


_RULE = "────────────────────────────────"


# ---- headers ----


def _headers(kind: ReplyKind, in_reply_to: str, references: str) -> dict[str, str]:
    """Threading and RFC 3834.

    SES allows In-Reply-To, References, Auto-Submitted and X- headers beside simple content; it
    disallows BCC, CC, Content-Disposition, Content-Type, Date, From, Message-ID, MIME-Version,
    Reply-To, Return-Path, Subject and To (Developer Guide, "Amazon SES header fields").
    """
    headers = {"X-Optin-Loop": "1"}
    answered = _MESSAGE_ID.search(in_reply_to)
    if kind is not ReplyKind.STAFF:
        headers["Auto-Submitted"] = "auto-replied" if answered else "auto-generated"
    if answered:
        headers["In-Reply-To"] = answered[0]
        headers["References"] = _thread([*_MESSAGE_ID.findall(references), answered[0]])
    return headers


def _thread(ids: list[str]) -> str:
    """The ids once each; of too many the first and the last (RFC 5322, 3.6.4 leaves it open)."""
    kept = list(dict.fromkeys(reversed(ids)))[::-1]
    while len(" ".join(kept)) > _LONGEST_HEADER:
        del kept[1]
    return " ".join(kept)
