"""Did this person get this campaign, and why, or why not? Answered from what is on record.

Where the ledger has a line, the line is the answer. Where it has none, the sender never came
to the person (it walks the list of those worth judging), and the reason is found by the same
rule the sender asks, ``eligibility.judge``, on the contact as its events had left it then.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from shared.domain.audience import matches
from shared.domain.campaigns import Campaign, CampaignStatus, Entry, Outcome
from shared.domain.contact import Contact, project
from shared.domain.eligibility import Condition, Profile, judge
from shared.domain.events import Event, EventKind
from shared.domain.feedback import FATE_OF
from shared.domain.figures import Fate


class Finding(StrEnum):
    """What became of one person in one campaign."""

    # The ledger says so
    SENT = "sent"  # the mail service has it and has reported nothing further
    DELIVERED = "delivered"  # the receiving server took it
    SOFT_BOUNCED = "soft_bounced"  # it did not arrive, for a reason that may pass
    BOUNCED = "bounced"  # it came back as undeliverable
    COMPLAINED = "complained"  # it arrived and was reported as spam
    SENDING = "sending"  # claimed; whether the mail service has it is not recorded yet
    RETRY = "retry"  # the mail service does not have it yet; it is sent again
    SKIPPED = "skipped"  # not eligible at the moment of sending
    REJECTED = "rejected"  # the mail service refused this recipient
    # The ledger has no line
    NOT_STARTED = "not_started"
    CANCELLED = "cancelled"  # before the person's turn
    WAITING = "waiting"  # still to come
    UNKNOWN_THEN = "unknown_then"  # nothing was on record yet
    NOT_ELIGIBLE = "not_eligible"  # not worth judging: not on the list
    OUTSIDE_AUDIENCE = "outside_audience"
    UNEXPLAINED = "unexplained"


_FINDINGS = {
    Outcome.SENT: Finding.SENT,
    Outcome.CLAIMED: Finding.SENDING,
    Outcome.RETRY: Finding.RETRY,
    Outcome.SKIPPED: Finding.SKIPPED,
    Outcome.REJECTED: Finding.REJECTED,
}
# What says more about a mail that was sent, the most telling first.
_REPORTED = {
    Fate.COMPLAINED: Finding.COMPLAINED,
    Fate.BOUNCED: Finding.BOUNCED,
    Fate.DELIVERED: Finding.DELIVERED,
    Fate.SOFT_BOUNCED: Finding.SOFT_BOUNCED,
}
_RUNNING = frozenset({CampaignStatus.SENDING, CampaignStatus.PAUSED})
# What these rest on is gone after an erasure, so they say nothing about the time before it.
_GONE_WITH_THE_ADDRESS = frozenset({"address", "deliverable"})


@dataclass(frozen=True, slots=True)
class Explanation:
    """The answer. ``reason`` is the verdict's or the mail service's, empty where there is none.

    ``conditions`` are the rule's as of ``as_of``: the moment of sending where there was one,
    else the start of the campaign, or now. Of facts that were on record to the millisecond
    then; the ledger's own reason is what was really judged.
    """

    finding: Finding
    reason: str = ""
    as_of: datetime | None = None
    conditions: tuple[Condition, ...] = ()


def explain(
    campaign: Campaign,
    entry: Entry | None,
    history: Sequence[Event],
    *,
    contact_id: str,
    profile: Profile,
    now: datetime,
    reported: Collection[Fate] = (),
    received: Collection[str] = (),
) -> Explanation:
    """Answer for one person.

    ``reported`` is what the mail service reported about their mail, ``received`` names the
    campaigns that they were sent.
    """
    person = _Person(contact_id, history, profile)
    if entry is not None:
        finding = _FINDINGS[entry.outcome]
        if finding is Finding.SENT:
            finding = _after_sending({*reported, *_on_record(history, campaign.campaign_id)})
        return Explanation(finding, entry.reason, entry.at, person.conditions(entry.at))
    if campaign.started_at is None:
        ended = campaign.status is CampaignStatus.CANCELLED
        return Explanation(Finding.CANCELLED if ended else Finding.NOT_STARTED)
    running = campaign.status in _RUNNING
    as_of = now if running else campaign.started_at
    found = _why_not(person, campaign, as_of, received)
    if found.finding is not Finding.WAITING or running:
        return found
    if campaign.status is CampaignStatus.CANCELLED:
        return Explanation(Finding.CANCELLED, as_of=as_of, conditions=found.conditions)
    # Eligible at the start and never reached: what changed before their turn came?
    later = _why_not(person, campaign, now, received)
    if later.finding is not Finding.WAITING:
        return later
    return Explanation(Finding.UNEXPLAINED, as_of=as_of, conditions=found.conditions)


def received_among(entries: Iterable[Entry]) -> frozenset[str]:
    """The campaigns of these lines that were sent."""
    return frozenset(entry.campaign_id for entry in entries if entry.outcome is Outcome.SENT)


def erased_at(history: Iterable[Event]) -> datetime | None:
    """When the personal data were last erased, if ever."""
    return max((event.at for event in history if event.kind is EventKind.ERASED), default=None)


@dataclass(frozen=True, slots=True)
class _Person:
    contact_id: str
    history: Sequence[Event]
    profile: Profile

    def at(self, moment: datetime) -> Contact:
        """The contact as its events had left it."""
        return project(self.contact_id, (each for each in self.history if each.at <= moment))

    def conditions(self, moment: datetime) -> tuple[Condition, ...]:
        """The rule's conditions then, as far as what they rest on is still on record."""
        erased = erased_at(self.history)
        gone = _GONE_WITH_THE_ADDRESS if erased is not None and moment < erased else frozenset()
        conditions = judge(self.at(moment), self.profile).conditions
        return tuple(each for each in conditions if each.name not in gone)


def _why_not(
    person: _Person, campaign: Campaign, moment: datetime, received: Collection[str]
) -> Explanation:
    """``WAITING`` where nothing spoke against sending."""
    contact = person.at(moment)
    if not contact.version:
        return Explanation(Finding.UNKNOWN_THEN, as_of=moment)
    conditions = person.conditions(moment)
    finding, reason = Finding.WAITING, ""
    unmet = [each for each in conditions if not each.met]
    if unmet:
        finding, reason = Finding.NOT_ELIGIBLE, unmet[0].reason
    elif not matches(contact, campaign.audience, received):
        finding = Finding.OUTSIDE_AUDIENCE
    return Explanation(finding, reason, moment, conditions)


def _after_sending(reported: Collection[Fate]) -> Finding:
    return next((_REPORTED[fate] for fate in _REPORTED if fate in reported), Finding.SENT)


def _on_record(history: Iterable[Event], campaign_id: str) -> set[Fate]:
    """Bounces and complaints are events too, in case their mark beside the line was lost."""
    return {
        FATE_OF[event.kind]
        for event in history
        if event.kind in FATE_OF and event.details.get("campaign_id") == campaign_id
    }
