"""One raw message to what the rules need of it."""

from __future__ import annotations

import hashlib
from types import MappingProxyType

from shared.domain.inbound import SIGNAL_HEADERS, ReceivedMail, Report
from shared.inbox import markup, quoting, reports
from shared.inbox.charsets import is_japanese
from shared.inbox.headers import Headers, addresses
from shared.inbox.parts import Found, Text, walk
from shared.inbox.tokens import tokens_in
from shared.texts.consent import Language

MAX_SUBJECT = 500
MAX_QUOTED = 100_000
MAX_SIGNAL = 1_000
MAX_REFERENCES = 2_000
# Of a message that was cut, only its beginning is the same however long its trace headers are.
_SURE_OF_CUT = 1_000_000


def read(raw: bytes, *, complete: bool = True) -> ReceivedMail:
    """Read one message. ``complete``: whether ``raw`` is all of it.

    Whatever could not be read is named in ``unread``:

    ``too_large`` the message was cut; ``headers_cut``, ``text_cut``: so was this;
    ``charset`` characters were lost; ``encoding`` a transfer encoding is broken or unknown;
    ``broken_mime`` parts without boundaries; ``too_deep``, ``too_many_parts``: the rest was left;
    ``encrypted``; ``signed`` the text is inside a signature and was not taken out;
    ``signature`` the text was read, its signature not checked; ``tnef`` a winmail.dat;
    ``no_text`` there was nothing to read but attachments.
    """
    top, body, found = walk(raw)
    shown = [(text, _text(text)) for text in found.texts]
    own = "\n".join(text for part, text in shown if not part.quoted)
    split = quoting.split(own)
    older = "\n".join(text for part, text in shown if part.quoted)
    quoted = "\n".join(part for part in (split.rest, older) if part).strip()
    subject = top.text("subject")[:MAX_SUBJECT]
    words = split.words
    codes = set(found.unread)
    codes |= set() if complete else {"too_large"}
    codes |= {"no_text"} if found.attachments and not (words or quoted) else set()
    if (
        max(
            len(own) - quoting.MAX_TEXT,
            len(words) + 1 - quoting.MAX_WORDS,
            len(quoted) - MAX_QUOTED,
        )
        > 0
    ):
        codes.add("text_cut")
    return ReceivedMail(
        mail_id=_mail_id(top, raw, body, complete=complete),
        message_id=next(iter(top.message_ids("message-id")), ""),
        references=_references(top),
        senders=() if "headers_cut" in codes else addresses(top.all("from")),
        subject=subject,
        words=words,
        quoted=quoted[:MAX_QUOTED],
        language=Language.JA if is_japanese(words or subject) else Language.EN,
        tokens=tokens_in(found.sources),
        attachments=found.attachments,
        report=_report(found),
        unread=tuple(sorted(codes)),
        signals=MappingProxyType(
            {name: top.plain(name)[:MAX_SIGNAL] for name in SIGNAL_HEADERS if top.all(name)}
        ),
    )


def _text(part: Text) -> str:
    return markup.text_of(part.source) if part.html else part.source


def _mail_id(top: Headers, raw: bytes, body: int, *, complete: bool) -> str:
    """The same for every delivery of one message, whatever the servers on the way added."""
    digest = hashlib.sha256()
    told_apart_by = "message-id" if top.all("message-id") else "date"
    for name in (told_apart_by, "from", "subject"):
        value = b"\x00".join(b" ".join(given.split()) for given in top.all(name))
        digest.update(len(value).to_bytes(8, "big") + value)
    end = len(raw) if complete else body + _SURE_OF_CUT
    digest.update(memoryview(raw)[body:end])
    return digest.hexdigest()[:32]


def _references(top: Headers) -> str:
    """The thread so far, oldest first; of a long one the end."""
    known = top.message_ids("references") or top.message_ids("in-reply-to")[:1]
    kept: list[str] = []
    room = MAX_REFERENCES
    for message_id in reversed(known):
        room -= len(message_id) + 1
        if room < 0:
            break
        kept.insert(0, message_id)
    return " ".join(kept)


def _report(found: Found) -> Report | None:
    if found.report is None:
        return None
    kind, fields = found.report
    return reports.report_of(kind, fields, tokens_in(found.returned))
