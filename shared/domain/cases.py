"""Cases: what a person asked for, and how far it is (manual R1; 個人情報保護法 33–39条; GDPR 12).

A case is a frozen value; each function here answers what it becomes, or refuses. ``task`` is
what the system itself owes next, so that a crash between two steps is taken up again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from types import MappingProxyType

from shared.domain.inbound import Mailbox
from shared.texts.consent import Language


class CaseKind(StrEnum):
    """What is asked for."""

    DISCLOSURE = "disclosure"  # 開示
    CORRECTION = "correction"  # 変更・訂正
    ERASURE = "erasure"  # 削除
    STOP_USE = "stop_use"  # 利用停止, and a stop that must be confirmed first
    INQUIRY = "inquiry"  # anything else


class CaseState(StrEnum):
    """How far it is."""

    RECEIVED = "received"
    IDENTITY_ASKED = "identity_asked"
    VERIFIED = "verified"
    IN_PROGRESS = "in_progress"
    DONE = "done"
    REFUSED = "refused"


class Task(StrEnum):
    """What the system owes next, if anything."""

    NONE = "none"
    ACKNOWLEDGE = "acknowledge"  # tell the person that it was received
    ASK_IDENTITY = "ask_identity"  # mail the link to the address itself
    STOP = "stop"  # record the stop, then tell
    DISCLOSE = "disclose"  # mail the one-time link to the file
    VERIFY_NEW_ADDRESS = "verify_new_address"  # mail the link to the new address
    CORRECT = "correct"  # move to the new address, then tell
    ERASE = "erase"  # erase, tell, forget the address
    TELL_REFUSED = "tell_refused"  # tell why not
    TELL_DONE = "tell_done"  # tell that it is done


class StepKind(StrEnum):
    """What stands in a case's history."""

    OPENED = "opened"
    MAIL_JOINED = "mail_joined"
    KIND_CHANGED = "kind_changed"
    HELD = "held"
    RELEASED = "released"
    ACKNOWLEDGED = "acknowledged"
    IDENTITY_ASKED = "identity_asked"
    IDENTITY_EXPIRED = "identity_expired"
    IDENTITY_CONFIRMED = "identity_confirmed"
    HAND_VERIFICATION_PROPOSED = "hand_verification_proposed"
    HAND_VERIFIED = "hand_verified"
    NEW_ADDRESS_GIVEN = "new_address_given"
    NEW_ADDRESS_CONFIRMED = "new_address_confirmed"
    APPROVED = "approved"
    DISCLOSED = "disclosed"  # the link to the file was mailed
    FETCHED = "fetched"  # the person took the file
    STOPPED = "stopped"
    CORRECTED = "corrected"
    ERASED = "erased"
    REPLIED = "replied"  # staff wrote to the person
    NOTED = "noted"
    WARNED = "warned"  # day 10 (個人情報保護法 39条)
    OVERDUE = "overdue"
    DONE = "done"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Step:
    """One entry of a case's history. ``by`` is ``system``, ``person`` or an operator.

    ``details`` never holds anything personal: it outlives an erasure.
    """

    at: datetime
    kind: StepKind
    by: str
    details: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True)
class LinkState:
    """The one link of its purpose that still counts: older ones are void, a used one too."""

    nonce: str
    expires_at: datetime
    used_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Case:
    """One request of one person.

    ``reply_to`` and ``new_address`` are personal and go with an erasure; ``contact_id`` is the
    keyed hash (``links.NOBODY`` where the writer is not known). ``links`` by purpose.
    ``due_on`` is the day promised; ``warn_on`` day 10; ``legal_on`` GDPR's month, where it
    applies. ``holds``: the case keeps the address from mailing until it is decided.
    """

    case_id: str
    kind: CaseKind
    state: CaseState
    contact_id: str
    language: Language
    mailbox: Mailbox | None  # None: opened by staff
    opened_at: datetime
    due_on: date
    warn_on: date
    legal_on: date | None
    reason: str  # why this kind: a code of ``wishes``
    confidence: int  # percent
    reply_to: str = ""
    subject: str = ""  # personal too: as the person wrote it
    in_reply_to: str = ""  # Message-ID to answer to
    holds: bool = False
    task: Task = Task.NONE
    links: Mapping[str, LinkState] = field(default_factory=lambda: MappingProxyType({}))
    hand_by: str = ""  # who proposed to verify by hand; another must agree
    hand_reason: str = ""
    new_address: str = ""
    approved_by: str = ""
    refusal: str = ""  # what the person is told
    steps: tuple[Step, ...] = ()
    version: int = 0

    @property
    def is_open(self) -> bool:
        """Neither done nor refused."""
        return self.state not in {CaseState.DONE, CaseState.REFUSED}
