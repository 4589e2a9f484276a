"""What SES tells about mail afterwards, read; and what follows from it, as rules.

SES has two shapes for the same facts: event publishing (``eventType``, with the message's
tags) and identity notifications (``notificationType``, without). ``read`` knows both. A bounce
is never a complaint nor the reverse: each has its own part of the notice and its own rule.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from shared.domain import holds
from shared.domain.contact import SOFT_BOUNCES, hold_of
from shared.domain.eligibility import UNKNOWN_OR_FILTERED
from shared.domain.errors import BadRequest, Conflict
from shared.domain.events import Event, EventKind, Source, event_id, parse_stamp
from shared.domain.figures import Fate


class NoticeKind(StrEnum):
    """What happened to a message."""

    SEND = "send"
    DELIVERY = "delivery"
    BOUNCE = "bounce"
    COMPLAINT = "complaint"
    REJECT = "reject"  # SES took it and then would not send it
    RENDERING_FAILURE = "rendering_failure"  # the same, for its template
    DELAY = "delay"


# SES's name (both shapes) and where its particulars stand.
_KINDS: Mapping[str, tuple[NoticeKind, str]] = {
    "Send": (NoticeKind.SEND, "send"),
    "Delivery": (NoticeKind.DELIVERY, "delivery"),
    "Bounce": (NoticeKind.BOUNCE, "bounce"),
    "Complaint": (NoticeKind.COMPLAINT, "complaint"),
    "Reject": (NoticeKind.REJECT, "reject"),
    "Rendering Failure": (NoticeKind.RENDERING_FAILURE, "failure"),
    "DeliveryDelay": (NoticeKind.DELAY, "deliveryDelay"),
}
PROOFS_OF_SENDING = frozenset(
    {
        NoticeKind.SEND,
        NoticeKind.DELIVERY,
        NoticeKind.BOUNCE,
        NoticeKind.COMPLAINT,
        NoticeKind.DELAY,
    }
)
REFUSALS_BY_SES = frozenset({NoticeKind.REJECT, NoticeKind.RENDERING_FAILURE})
# Where the people a notice is about are listed.
_RECIPIENTS = {
    NoticeKind.BOUNCE: "bouncedRecipients",
    NoticeKind.COMPLAINT: "complainedRecipients",
    NoticeKind.DELAY: "delayedRecipients",
}
_CONTACT_ID = re.compile(r"[0-9a-f]{32}")
_CAMPAIGN_ID = re.compile(r"[0-9a-f]{12}")
_SLOT = re.compile(r"[0-9A-Za-z_-]{1,64}\.(0|[1-9]\d?)")


@dataclass(frozen=True, slots=True)
class Recipient:
    """One person a notice is about, and what their mail server said."""

    address: str
    status: str = ""
    diagnostic: str = ""


@dataclass(frozen=True, slots=True)
class Notice:
    """One fact about one message, whichever shape it came in.

    ``contact_id`` is set only where the message went to one person and says to whom.
    """

    kind: NoticeKind
    message_id: str
    at: datetime
    recipients: tuple[Recipient, ...]
    type: str = ""  # bounces: Permanent, Transient, Undetermined; complaints: abuse, …
    sub_type: str = ""
    campaign_id: str = ""
    contact_id: str = ""
    slot: str = ""  # the place in the ledger's batch; only where there is a contact


def is_ours(event: Mapping[str, Any], configuration_set: str, mail_domain: str) -> bool:
    """From SES, about mail of our configuration set; of our domain, where no set is named.

    Only our EventBridge rule may invoke the function, and nobody but AWS may publish as
    ``aws.ses``; this keeps out what a wrong rule would let in.
    """
    detail = event.get("detail")
    mail = detail.get("mail") if isinstance(detail, Mapping) else None
    if event.get("source") != "aws.ses" or not isinstance(mail, Mapping):
        return False
    tags = mail.get("tags")
    if isinstance(tags, Mapping) and "ses:configuration-set" in tags:
        return configuration_set in tags["ses:configuration-set"]
    return str(mail.get("sourceArn", "")).endswith(f":identity/{mail_domain}")


def read(detail: Mapping[str, Any]) -> Notice | None:
    """A notice in either shape. None for kinds that mean nothing here (opens, clicks, …).

    Raises:
        BadRequest: it says it is a known kind and cannot be read as one.
    """
    named = _KINDS.get(str(detail.get("eventType") or detail.get("notificationType") or ""))
    if named is None:
        return None
    kind, part = named
    try:
        return _notice(kind, detail["mail"], detail.get(part) or {})
    except (KeyError, TypeError, ValueError, AttributeError):
        raise BadRequest("bad_notice", "SESの通知を読み取れません。") from None


def _notice(kind: NoticeKind, mail: Mapping[str, Any], part: Mapping[str, Any]) -> Notice:
    destination = tuple(map(str, mail["destination"]))
    about = tuple(
        Recipient(
            str(each["emailAddress"]),
            str(each.get("status", "")),
            str(each.get("diagnosticCode", "")),
        )
        for each in part.get(_RECIPIENTS.get(kind, ""), ())
    )
    tags = mail.get("tags") or {}
    contact_id = _tag(tags, "contact", _CONTACT_ID) if len(destination) == 1 else ""
    return Notice(
        kind=kind,
        message_id=str(mail["messageId"]),
        at=parse_stamp(str(part.get("timestamp") or mail["timestamp"])),
        recipients=about or tuple(map(Recipient, destination)),
        type=str(part.get("bounceType") or part.get("complaintFeedbackType") or ""),
        sub_type=str(part.get("bounceSubType") or part.get("complaintSubType") or ""),
        campaign_id=_tag(tags, "campaign", _CAMPAIGN_ID),
        contact_id=contact_id,
        slot=_tag(tags, "batch", _SLOT) if contact_id else "",
    )


def _tag(tags: Mapping[str, Sequence[str]], name: str, pattern: re.Pattern[str]) -> str:
    value = "".join(tags.get(name, ()))
    return value if pattern.fullmatch(value) else ""


# ---- bounces and complaints

FATE_OF: Mapping[EventKind, Fate] = {
    EventKind.BOUNCED: Fate.BOUNCED,
    EventKind.SOFT_BOUNCED: Fate.SOFT_BOUNCED,
    EventKind.COMPLAINED: Fate.COMPLAINED,
}

# Mail of Japanese mobile carriers. Where their users filter, they answer as if nobody lived
# there: "550 … User unknown" (law-and-mail E5).
_CARRIERS = re.compile(
    r"(.*\.)?(docomo\.ne\.jp|ezweb\.ne\.jp|au\.com|uqmobile\.jp|softbank\.ne\.jp|softbank\.jp|"
    r"vodafone\.ne\.jp|disney\.ne\.jp|ymobile\.ne\.jp|ymobile1\.ne\.jp|willcom\.com|pdx\.ne\.jp|"
    r"emnet\.ne\.jp|rakumail\.jp)"
)
_UNKNOWN = re.compile(r"unknown|5\.1\.1|no such|not found", re.IGNORECASE)
_SUPPRESSED = frozenset({"Suppressed", "OnAccountSuppressionList"})
# About this message, not about the mailbox: the next one may well arrive.
_OF_THE_MESSAGE = frozenset({"MessageTooLarge", "ContentRejected", "AttachmentRejected"})


def facts_of(notice: Notice, contacts: Sequence[tuple[str, Recipient]]) -> list[Event]:
    """What a notice means for each contact it is about: at most one fact each.

    The id of a fact depends only on what is reported, so a duplicate is the same fact.
    """
    found = (_fact(notice, contact_id, recipient) for contact_id, recipient in contacts)
    return list({event.event_id: event for event in found if event}.values())


def _fact(notice: Notice, contact_id: str, recipient: Recipient) -> Event | None:
    what = _kind_and_reason(notice, recipient)
    if what is None:
        return None
    kind, reason = what
    details = {"reason": reason, "message_id": notice.message_id}
    if notice.campaign_id:
        details["campaign_id"] = notice.campaign_id
    if notice.sub_type:
        details["sub_type"] = notice.sub_type
    if recipient.status:
        details["status"] = recipient.status
    return Event(
        contact_id=contact_id,
        event_id=event_id(notice.message_id, kind, contact_id, notice.at.isoformat()),
        kind=kind,
        at=notice.at,
        source=Source.SES,
        details=details,
    )


def _kind_and_reason(notice: Notice, recipient: Recipient) -> tuple[EventKind, str] | None:
    if notice.kind is NoticeKind.COMPLAINT:
        # "not-spam": the person took the mail out of the spam folder.
        if notice.type == "not-spam":
            return None
        return EventKind.COMPLAINED, notice.type or "complaint"
    if notice.kind is not NoticeKind.BOUNCE:
        return None
    if notice.type == "Permanent":
        return EventKind.BOUNCED, _why_undeliverable(notice, recipient)
    if notice.sub_type in _OF_THE_MESSAGE:
        return None
    return EventKind.SOFT_BOUNCED, notice.sub_type or notice.type or "transient"


def _why_undeliverable(notice: Notice, recipient: Recipient) -> str:
    if notice.sub_type in _SUPPRESSED:
        return "suppressed"
    domain = recipient.address.rpartition("@")[2].strip("> ").lower()
    said = f"{recipient.status} {recipient.diagnostic}"
    if _CARRIERS.fullmatch(domain) and _UNKNOWN.search(said):
        return UNKNOWN_OR_FILTERED
    return "permanent"


def hold_after(
    history: Iterable[Event], bounce: Event, *, bounces: int, within: timedelta
) -> Event | None:
    """Held, where ``bounce`` is one of ``bounces`` soft ones ``within`` a time (manual U1).

    Counted since such a hold was last lifted, one for each message. The hold is dated by the
    last of them and named after it, so that finding it again finds the same fact.
    """
    known = {event.event_id: event for event in (*history, bounce)}.values()
    lifts = [e.at for e in known if e.kind is EventKind.RELEASED and hold_of(e) == SOFT_BOUNCES]
    released = max(lifts, default=None)
    last_of_message = {
        event.details.get("message_id", event.event_id): event
        for event in sorted(known, key=lambda event: event.key)
        if event.kind is EventKind.SOFT_BOUNCED and (released is None or event.at > released)
    }
    soft = sorted(last_of_message.values(), key=lambda event: event.key)
    for first, last in zip(soft, soft[bounces - 1 :], strict=False):
        if last.at - first.at <= within and first.key <= bounce.key <= last.key:
            return Event(
                contact_id=bounce.contact_id,
                event_id=event_id(last.event_id, EventKind.HELD),
                kind=EventKind.HELD,
                at=last.at,
                source=Source.SES,
                details={"reason": SOFT_BOUNCES, "bounces": str(bounces)},
            )
    return None


def liftings(
    contact_id: str, history: Iterable[Event], *, operator: str, reason: str, request_id: str,
    now: datetime,
) -> list[Event]:  # fmt: skip
    """A member of staff knows that mail arrives after all: what is recorded for it.

    Lifts a permanent bounce, and the hold for soft bounces. Never a case's hold, because a
    message may mean "stop": that is decided by reading the message. The same request again
    is answered as it was the first time.

    Raises:
        Conflict: nothing of the kind stands.
    """
    history = [e for e in history if e.details.get("request_id") != request_id]
    details = {"operator": operator, "reason": reason, "request_id": request_id}
    lifting = []
    lifted = max((e.at for e in history if e.kind is EventKind.BOUNCE_LIFTED), default=None)
    if any(e.kind is EventKind.BOUNCED and (not lifted or e.at >= lifted) for e in history):
        lifting.append(
            Event(
                contact_id=contact_id,
                event_id=event_id(request_id, EventKind.BOUNCE_LIFTED),
                kind=EventKind.BOUNCE_LIFTED,
                at=now,
                source=Source.STAFF,
                details=details,
            )
        )
    release = holds.released(
        history, SOFT_BOUNCES, contact_id=contact_id, at=now, source=Source.STAFF, details=details
    )
    if release is not None:
        lifting.append(release)
    if not lifting:
        raise Conflict(
            "no_bounce_stands",
            "解除できる不達の記録はありません。",
            "No delivery failure stands that could be lifted.",
        )
    return lifting


# ---- reputation


@dataclass(frozen=True, slots=True)
class Counts:
    """How a campaign was received, so far."""

    sent: int = 0
    bounced: int = 0
    complained: int = 0

    def since(self, earlier: Counts) -> Counts:
        """What came after ``earlier``."""
        return Counts(
            max(self.sent - earlier.sent, 0),
            max(self.bounced - earlier.bounced, 0),
            max(self.complained - earlier.complained, 0),
        )


@dataclass(frozen=True, slots=True)
class Limits:
    """Beyond these a sender's reputation suffers (law-and-mail D13, D8)."""

    bounces_per_thousand: int = 50
    complaints_per_thousand: int = 1
    minimum: int = 100  # fewer mails than this make no rate


class Breach(StrEnum):
    """Which limit was passed."""

    BOUNCES = "bounces"
    COMPLAINTS = "complaints"


def breach(counts: Counts, limits: Limits) -> Breach | None:
    """Whether sending must pause.

    Below the minimum one mail is percents, so numbers count instead: more bounces than the
    minimum would allow, or a second complaint.
    """
    sent = max(counts.sent, limits.minimum)
    few = counts.sent < limits.minimum
    if counts.complained * 1000 > limits.complaints_per_thousand * sent and (
        not few or counts.complained > 1
    ):
        return Breach.COMPLAINTS
    if counts.bounced * 1000 > limits.bounces_per_thousand * sent:
        return Breach.BOUNCES
    return None
