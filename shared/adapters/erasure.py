"""Erasure: removes what is personal about one contact wherever it is kept (manual R1).

The tombstone comes first, so that nobody gets mail or is imported meanwhile. What stays is
what proves a consent to whoever names the address: the keyed hash, kinds, times and wordings.
Only what came before the tombstone is removed, so that doing it again later takes nothing from
somebody who came back. The number of calls depends on the contact's own history only.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from shared.adapters.cases import CaseStore
from shared.adapters.contacts import ContactStore
from shared.adapters.rawmail import RawMail
from shared.adapters.received import ReceivedStore
from shared.domain.cases import Case
from shared.domain.errors import Conflict, Unavailable
from shared.domain.events import Event, EventKind, Source, event_id

_TRIES = 5


@dataclass(frozen=True, slots=True)
class Erased:
    """What an erasure removed, in numbers for the certificate; the same when it is repeated."""

    at: datetime
    events: int
    mails: int
    cases: int


@dataclass
class Erasure:
    """Everything that holds something personal."""

    contacts: ContactStore
    cases: CaseStore
    received: ReceivedStore
    rawmail: RawMail

    def erase(self, case: Case, now: datetime) -> Erased:
        """Erase the contact of ``case``, all but what that case needs to tell the person.

        Raises:
            Unavailable: not everything is surely removed; doing it again is harmless.
        """
        tombstone = self._tombstone(case, now)
        contact_id, at = case.contact_id, tombstone.at
        history = [
            event for event in self.contacts.history(contact_id) if event.key < tombstone.key
        ]
        self.contacts.wipe(contact_id, history)
        lines = [line for line in self.received.of_contact(contact_id) if line.received_at <= at]
        objects = sorted({key for line in lines for key in line.object_keys})
        self.rawmail.delete(objects)
        self.received.erase([line for line in lines if not line.erased])
        of_contact = [each for each in self.cases.of_contact(contact_id) if each.opened_at <= at]
        for other in of_contact:
            if other.case_id != case.case_id:
                self._forget(other.case_id, at)
        self.cases.forget_mails(case.case_id)
        return Erased(at, len(history), len(lines), len(of_contact))

    def _tombstone(self, case: Case, now: datetime) -> Event:
        """The fact that the contact was erased, recorded once for each case."""
        name = event_id(case.case_id, EventKind.ERASED)
        for event in self.contacts.history(case.contact_id):
            if event.event_id == name:
                return event
        event = Event(
            contact_id=case.contact_id,
            event_id=name,
            kind=EventKind.ERASED,
            at=now,
            source=Source.REPLY if case.mailbox else Source.STAFF,
            details={"case_id": case.case_id},
        )
        self.contacts.record(event)
        return event

    def _forget(self, case_id: str, at: datetime) -> None:
        for _ in range(_TRIES):
            try:
                self.cases.forget(self.cases.get(case_id), now=at)
            except Conflict:
                continue
            return
        raise Unavailable("erasure:contention")
