"""Erasure: removes what is personal about one contact wherever it is kept (manual R1).

The tombstone comes first, so that nobody gets mail or is imported meanwhile. What stays is
what proves a consent to whoever names the address: the keyed hash, kinds, times and wordings.
Only what came before the tombstone is removed, so that doing it again later takes nothing from
somebody who came back. The number of calls depends on the contact's own history only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from shared.adapters.cases import CaseStore
from shared.adapters.contacts import ContactStore
from shared.adapters.rawmail import RawMail
from shared.adapters.received import Line, ReceivedStore
from shared.domain.cases import Case
from shared.domain.errors import Conflict, Unavailable
from shared.domain.events import Event, EventKind, Source, event_id, stamp

_TRIES = 5


@dataclass
class Erasure:
    """Everything that holds something personal."""

    contacts: ContactStore
    cases: CaseStore
    received: ReceivedStore
    rawmail: RawMail

    def erase(self, case: Case, now: datetime) -> Mapping[str, str]:
        """Erase the contact of ``case``, all but what that case needs to tell the person.

        What the certificate says: when, and of how many events, mails and cases something was
        removed. The same when it is repeated.

        Raises:
            Unavailable: not everything is surely removed; doing it again is harmless.
        """
        contact_id = case.contact_id
        history = self.contacts.history(contact_id)
        lines = self.received.of_contact(contact_id)
        of_contact = self.cases.of_contact(contact_id)
        name = event_id(case.case_id, EventKind.ERASED)
        tombstone = next((event for event in history if event.event_id == name), None)
        if tombstone is None:
            tombstone = Event(
                contact_id=contact_id,
                event_id=name,
                kind=EventKind.ERASED,
                at=now,
                source=Source.REPLY if case.mailbox else Source.STAFF,
                details={
                    "case_id": case.case_id,
                    "events": str(sum(bool(event.personal) for event in history)),
                    "mails": str(len(lines)),
                    "cases": str(len(of_contact)),
                },
            )
            self.contacts.record(tombstone)
            # What came between reading and that is older than the tombstone, so it goes too.
            history = self.contacts.history(contact_id)
        self.contacts.wipe(contact_id, [e for e in history if e.key < tombstone.key])
        self._remove_mail([line for line in lines if line.received_at <= tombstone.at])
        for other in of_contact:
            if other.opened_at <= tombstone.at and other.case_id != case.case_id:
                self._forget(other.case_id, now)
        self.cases.forget_mails(case.case_id)
        counted = {name: tombstone.details[name] for name in ("events", "mails", "cases")}
        return {"at": stamp(tombstone.at), **counted}

    def _remove_mail(self, lines: Sequence[Line]) -> None:
        left = [line for line in lines if not line.erased]
        self.rawmail.delete(sorted({key for line in left for key in line.object_keys}))
        self.received.erase(left)

    def _forget(self, case_id: str, now: datetime) -> None:
        for _ in range(_TRIES):
            try:
                self.cases.forget(self.cases.get(case_id), now=now)
            except Conflict:
                continue
            return
        raise Unavailable("erasure:contention")
