"""How the whole table stands, kept as counts: so that a dry run need not read the table.

Each contact stands somewhere: for one reason, in one group of contacts that came the same way.
A count per group and reason moves along when a contact does. Who may be mailed is never taken
from here: that is judged contact by contact, at the moment it is asked.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

from shared.domain.audience import Audience, origin_of
from shared.domain.contact import Contact
from shared.domain.eligibility import Profile, judge

ELIGIBLE = "eligible"
_STATUTE_ONLY = "statute_no_consent"
_JAPAN = timezone(timedelta(hours=9))
_MOMENT = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True, order=True)
class Group:
    """Contacts that came the same way in the same month (Japanese time); empty: not known."""

    month: str
    source: str
    form_id: str
    municipality: str


@dataclass(frozen=True, slots=True)
class Standing:
    """Where one contact stands, as of its ``version``.

    ``reason`` is the verdict's under the stricter profile, which names the manual's reason
    wherever there is one: so it fits both profiles, and changing the setting recounts nothing.
    """

    contact_id: str
    reason: str
    group: Group
    version: int


def standing_of(contact: Contact) -> Standing:
    """Where a contact stands now."""
    origin = origin_of(contact)
    group = (
        Group(_month(origin.at), origin.source.value, origin.form_id, origin.municipality)
        if origin
        else Group("", "", "", "")
    )
    reason = judge(contact, Profile.STATUTE).reason
    return Standing(contact.contact_id, reason, group, contact.version)


def reason_under(profile: Profile, reason: str) -> str:
    """What a standing's reason means under a profile."""
    return ELIGIBLE if profile is Profile.MANUAL and reason == _STATUTE_ONLY else reason


def moves(
    pairs: Iterable[tuple[Standing | None, Standing]],
) -> dict[Group, dict[str, int]]:
    """What the counts change by where each contact leaves its first place for its second."""
    changes: Counter[tuple[Group, str]] = Counter()
    for was, now in pairs:
        if was is not None:
            changes[was.group, was.reason] -= 1
        changes[now.group, now.reason] += 1
    found: dict[Group, dict[str, int]] = {}
    for (group, reason), change in changes.items():
        if change:
            found.setdefault(group, {})[reason] = change
    return found


def months(audience: Audience) -> tuple[str, str]:
    """First and last month that a registration date can fall into; empty where open."""
    start, end = audience.registered_from, audience.registered_until
    return (_month(start) if start else "", _month(end - _MOMENT) if end else "")


def asks_for_whole_months(audience: Audience) -> bool:
    """Whether the months say exactly what the dates say."""
    return all(
        at is None or at == _first_of_month(at)
        for at in (audience.registered_from, audience.registered_until)
    )


def is_in(group: Group, audience: Audience) -> bool:
    """Whether contacts of a group are meant, as far as a group can tell (dates: by the month)."""
    first, last = months(audience)
    return (
        (not audience.sources or group.source in audience.sources)
        and (not audience.form_ids or group.form_id in audience.form_ids)
        and (not audience.municipalities or group.municipality in audience.municipalities)
        and (not (first or last) or bool(group.month))
        and (not first or group.month >= first)
        and (not last or group.month <= last)
    )


def tally(
    counts: Mapping[Group, Mapping[str, int]], audience: Audience, profile: Profile
) -> dict[str, dict[Group, int]]:
    """The counts of an audience, by reason under a profile and then by group. No zeros."""
    found: dict[str, dict[Group, int]] = {}
    for group, by_reason in counts.items():
        if is_in(group, audience):
            for reason, count in by_reason.items():
                if count > 0:
                    groups = found.setdefault(reason_under(profile, reason), {})
                    groups[group] = groups.get(group, 0) + count
    return found


def _month(at: datetime) -> str:
    return f"{at.astimezone(_JAPAN):%Y-%m}"


def _first_of_month(at: datetime) -> datetime:
    return at.astimezone(_JAPAN).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
