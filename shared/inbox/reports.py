"""Reports of other systems about mail of ours (RFC 3464, RFC 5965)."""

from __future__ import annotations

import re

from shared.domain.inbound import Report, ReportKind
from shared.inbox.charsets import decoded
from shared.inbox.headers import MAX_ADDRESS, Headers, one_line, parse

MAX_RECIPIENTS = 1_000
MAX_DIAGNOSTIC = 500

_COMPLAINTS = frozenset({"abuse", "fraud", "opt-out", "opt-out-list", "miscategorized"})
_STATUS = re.compile(r"[245]\.\d{1,3}\.\d{1,3}")
_SMTP_CODE = re.compile(r"\b([45])\d\d\b")
# Worst news first.
_ORDER = (
    ReportKind.BOUNCE,
    ReportKind.SOFT_BOUNCE,
    ReportKind.DELAY,
    ReportKind.OTHER,
)


def report_of(kind: str, fields: bytes, tokens: tuple[str, ...]) -> Report:
    """What a report's machine-readable part says, with the tokens of the mail it returned."""
    blocks = _blocks(fields)
    if kind.endswith("delivery-status"):
        return _delivery(blocks, tokens)
    if kind == "message/feedback-report":
        return _feedback(blocks, tokens)
    return Report(kind=ReportKind.OTHER, tokens=tokens)


def _blocks(fields: bytes) -> list[Headers]:
    """Groups of fields, an empty line between them."""
    found: list[Headers] = []
    at = 0
    while at < len(fields) and len(found) <= MAX_RECIPIENTS:
        block, after, _ = parse(fields, at, len(fields))
        found += [block] if block.fields else []
        at = max(after, at + 1)
    return found


def _delivery(blocks: list[Headers], tokens: tuple[str, ...]) -> Report:
    """The first recipient with the worst news."""
    recipients = [block for block in blocks if block.raw("action")] or [Headers(())]
    kinds = [_fate(block) for block in recipients]
    worst = next(kind for kind in _ORDER if kind in kinds)
    block = recipients[kinds.index(worst)]
    return Report(
        kind=worst,
        recipient=_address(block, "original-recipient", "final-recipient"),
        status=_status(block),
        diagnostic=block.text("diagnostic-code")[:MAX_DIAGNOSTIC],
        tokens=tokens,
    )


def _fate(block: Headers) -> ReportKind:
    """A failure that names no reason is taken for a passing one: nobody is taken off for it."""
    action = block.plain("action").lower().partition(" ")[0]
    if action == "delayed":
        return ReportKind.DELAY
    if action != "failed":
        return ReportKind.OTHER
    code = _status(block)[:1]
    if not code:
        said = _SMTP_CODE.search(block.plain("diagnostic-code"))
        code = said[1] if said else ""
    return ReportKind.BOUNCE if code == "5" else ReportKind.SOFT_BOUNCE


def _status(block: Headers) -> str:
    found = _STATUS.search(block.plain("status"))
    return found[0] if found else ""


def _feedback(blocks: list[Headers], tokens: tuple[str, ...]) -> Report:
    block = blocks[0] if blocks else Headers(())
    kind = block.plain("feedback-type").lower()
    return Report(
        kind=ReportKind.COMPLAINT if kind in _COMPLAINTS else ReportKind.OTHER,
        recipient=_address(block, "original-rcpt-to", "removal-recipient"),
        diagnostic=kind[:MAX_DIAGNOSTIC],
        tokens=tokens,
    )


def _address(block: Headers, *names: str) -> str:
    """The first that is there, without its type ("rfc822;") and brackets."""
    given = next((value for name in names if (value := block.raw(name))), b"")
    return one_line(decoded(given)).rpartition(";")[2].strip(" <>")[:MAX_ADDRESS]
