"""Who may do what: the one permission matrix (manual D2: only CS, GS and IT have access)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from types import MappingProxyType


class Team(StrEnum):
    """The three teams with access, as groups of the user pool."""

    CS = "CS"  # customer service; advisors
    GS = "GS"  # works with municipalities; advisors
    IT = "IT"


class Permission(StrEnum):
    """What can be done through the staff API."""

    READ_CONTACTS = "read_contacts"
    CONFIRM_REGISTRATIONS = "confirm_registrations"
    RECORD_UNSUBSCRIPTIONS = "record_unsubscriptions"
    LIFT_BOUNCES = "lift_bounces"
    READ_FORMS = "read_forms"
    EDIT_FORMS = "edit_forms"
    READ_CAMPAIGNS = "read_campaigns"
    SEND_CAMPAIGNS = "send_campaigns"
    READ_REQUESTS = "read_requests"
    HANDLE_REQUESTS = "handle_requests"
    APPROVE_ERASURE = "approve_erasure"


_ALL = frozenset(Team)
_ADVISORS = frozenset({Team.CS, Team.GS})

MATRIX: Mapping[Permission, frozenset[Team]] = MappingProxyType(
    {
        Permission.READ_CONTACTS: _ALL,
        Permission.CONFIRM_REGISTRATIONS: _ADVISORS,
        # A wish to stop is honoured by whoever hears it (S3).
        Permission.RECORD_UNSUBSCRIPTIONS: _ALL,
        # Whoever talks to the person knows whether mail arrives.
        Permission.LIFT_BOUNCES: _ADVISORS,
        Permission.READ_FORMS: _ALL,
        Permission.EDIT_FORMS: frozenset({Team.GS, Team.IT}),
        Permission.READ_CAMPAIGNS: _ALL,
        Permission.SEND_CAMPAIGNS: _ADVISORS,
        Permission.READ_REQUESTS: _ALL,
        # CS answers, IT carries out (R1).
        Permission.HANDLE_REQUESTS: frozenset({Team.CS, Team.IT}),
        Permission.APPROVE_ERASURE: frozenset({Team.IT}),
    }
)


def may(teams: Iterable[Team], permission: Permission) -> bool:
    """Whether a member of ``teams`` may do this; nobody outside the three teams may."""
    return not MATRIX[permission].isdisjoint(teams)


def teams_of(claim: str) -> frozenset[Team]:
    """The teams in a ``cognito:groups`` claim as the gateway passes it on: ``[CS ADMIN]``.

    Other groups mean nothing here.
    """
    names = claim.strip("[]").replace(",", " ").split()
    return frozenset(Team(name) for name in names if name in Team.__members__)
