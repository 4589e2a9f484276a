"""Registrations: an advisor confirms an opt-in before the address joins the list (manual A3)."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Literal

from aws_lambda_powertools.event_handler.api_gateway import Router
from aws_lambda_powertools.event_handler.openapi.params import Body, Query

from functions.staff_api.context import Call, call_of
from functions.staff_api.schemas import (
    PendingOut,
    PendingPage,
    RegistrationIn,
    RegistrationOut,
    VerdictOut,
)
from shared.adapters.contacts import StaleContactError
from shared.domain.contact import Contact
from shared.domain.eligibility import judge
from shared.domain.events import Event
from shared.domain.registration import confirmation
from shared.telemetry import logger

router = Router()  # type: ignore[no-untyped-call]
_call = partial(call_of, router)
_TRIES = 3
_PLACE = r"^$|^[0-9a-f]{32}@\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$"  # contact@since


@router.get("/registrations", summary="Opt-ins that wait for an advisor", tags=["registrations"])
def pending(
    status: Annotated[Literal["pending"], Query()] = "pending",  # noqa: ARG001 (one kind so far)
    limit: Annotated[int, Query(ge=1, le=100)] = 50,
    after: Annotated[str, Query(pattern=_PLACE)] = "",
) -> PendingPage:
    """A page of them, the longest waiting first; ``next`` is empty on the last."""
    call = _call()
    page = call.deps.contacts.pending(limit=limit, after=after)
    waiting = (PendingOut.of(contact) for contact in page.contacts)
    return PendingPage(registrations=[out for out in waiting if out], next=page.after)


@router.post("/registrations", summary="Confirm an opt-in", tags=["registrations"])
def confirm(body: Annotated[RegistrationIn, Body()]) -> RegistrationOut:
    """Put the address on the list, or refuse with the reason (409). Repeating is harmless."""
    call = _call()
    event, contact = _confirm(call, body.contact_id, body.submission_id)
    logger.info("registered", extra={"contact_id": contact.contact_id, "operator": call.operator})
    return RegistrationOut(
        contact_id=contact.contact_id,
        submission_id=body.submission_id,
        event_id=event.event_id,
        confirmed_by=event.details["operator"],
        confirmed_at=event.at,
        verdict=VerdictOut.of(judge(contact, call.deps.settings.eligibility_profile)),
    )


def _confirm(call: Call, contact_id: str, submission_id: str) -> tuple[Event, Contact]:
    """Decide on what is held, record if it is still that; decide again where it is not."""
    contacts = call.deps.contacts
    for attempt in range(_TRIES):
        held = contacts.get(contact_id)
        history = contacts.history(contact_id)
        event = confirmation(
            held, history, submission_id, operator=call.operator, now=call.request.at
        )
        try:
            if event not in history:
                contacts.record_if_unchanged(event, held)
            return event, contacts.get(contact_id)
        except StaleContactError:
            if attempt == _TRIES - 1:
                raise
    raise StaleContactError
