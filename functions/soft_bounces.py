"""What follows from soft bounces, whether SES reports them or a mail server writes to us."""

from __future__ import annotations

from datetime import timedelta

from shared.adapters.contacts import ContactStore
from shared.domain.events import Event, EventKind
from shared.domain.feedback import hold_after
from shared.telemetry import logger


def hold_if_repeated(contacts: ContactStore, fact: Event, *, bounces: int, days: int) -> None:
    """Hold the address where ``fact`` is one of ``bounces`` soft ones within so many ``days``.

    Raises:
        Unavailable: the store could not be asked; doing it again is harmless.
    """
    if fact.kind is not EventKind.SOFT_BOUNCED:
        return
    history = contacts.history(fact.contact_id)
    hold = hold_after(history, fact, bounces=bounces, within=timedelta(days=days))
    if hold is not None:
        contacts.record(hold)
        logger.info("held", extra={"contact_id": fact.contact_id})
