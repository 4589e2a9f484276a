"""Erasure: removes what is personal about one contact wherever it is kept (manual R1).

The tombstone comes first, so that nobody gets mail or is imported meanwhile. What stays is
what proves a consent to whoever names the address: the keyed hash, kinds, times and wordings.
Only what came before the tombstone is removed, so that doing it again later takes nothing from
somebody who came back. The number of calls depends on the contact's own history only.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from shared.adapters.cases import CaseStore
from shared.adapters.contacts import ContactStore
from shared.adapters.failures import FailedMail
from shared.adapters.rawmail import RawMail
from shared.adapters.received import Line, ReceivedStore
from shared.domain.cases import Case
from shared.domain.errors import Conflict, Unavailable
from shared.domain.events import Event, EventKind, Source, event_id, stamp

_TRIES = 5
_COUNTED = ("events", "mails", "cases")  # of how many something is removed


@dataclass
class Erasure:
    """Everything that holds something personal. ``id_of`` an address; empty where it is none."""

    contacts: ContactStore
    cases: CaseStore
    received: ReceivedStore
    rawmail: RawMail
    failed: FailedMail
    id_of: Callable[[str], str]

    def erase(self, case: Case, now: datetime) -> Mapping[str, str]:
        """Erase the contact of ``case``, all but what that case needs to tell the person.

        What the certificate says: when, and of how many events, mails and cases something was
        removed. The same when it is repeated.

        Raises:
            Unavailable: not everything is surely removed; doing it again is harmless.
        """
        removed: Counter[str] = Counter()
        at = now
        left, seen = [case.contact_id], {case.contact_id}
        while left:
            contact_id = left.pop()
            tombstone, history = self._erase(contact_id, case, now)
            removed.update({name: int(tombstone.details[name]) for name in _COUNTED})
            at = min(at, tombstone.at)
            # Where the person moved here from, they are the same person.
            moved = {e.details.get("from", "") for e in history if e.kind is EventKind.MOVED}
            left += sorted(moved - seen - {""})
            seen |= moved
        self.failed.remove(lambda writer: self.id_of(writer) in seen)
        return {"at": stamp(at), **{name: str(removed[name]) for name in _COUNTED}}

    def _erase(self, contact_id: str, case: Case, now: datetime) -> tuple[Event, list[Event]]:
        """One contact. Its tombstone, and what came before it."""
        history = self.contacts.history(contact_id)
        lines = self.received.of_contact(contact_id)
        of_contact = self.cases.of_contact(contact_id)
        name = event_id(case.case_id, EventKind.ERASED)
        tombstone = next((event for event in history if event.event_id == name), None)
        if tombstone is None:
            counts = (sum(bool(e.personal) for e in history), len(lines), len(of_contact))
            tombstone = Event(
                contact_id=contact_id,
                event_id=name,
                kind=EventKind.ERASED,
                at=now,
                source=Source.REPLY if case.mailbox else Source.STAFF,
                details={
                    "case_id": case.case_id,
                    **{name: str(n) for name, n in zip(_COUNTED, counts, strict=True)},
                },
            )
            self.contacts.record(tombstone)
            # What came between reading and that is older than the tombstone, so it goes too.
            history = self.contacts.history(contact_id)
            lines = self.received.of_contact(contact_id)
            of_contact = self.cases.of_contact(contact_id)
        before = [event for event in history if event.key < tombstone.key]
        self.contacts.wipe(contact_id, before)
        self._remove_mail([line for line in lines if line.received_at <= tombstone.at])
        for other in of_contact:
            if other.opened_at <= tombstone.at and other.case_id != case.case_id:
                self._forget(other.case_id, now)
        if contact_id == case.contact_id:
            self.cases.forget_mails(case.case_id)
        return tombstone, before

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
