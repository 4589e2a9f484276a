"""Bounces: what SES reported, and a member of staff knows better (manual U1, law-and-mail E5)."""

from __future__ import annotations

from functools import partial
from typing import Annotated

from aws_lambda_powertools.event_handler.api_gateway import Router
from aws_lambda_powertools.event_handler.openapi.params import Body

from functions.staff_api.context import call_of
from functions.staff_api.schemas import BounceLiftedOut, ContactPath, LiftBounceIn, VerdictOut
from shared.domain.eligibility import judge
from shared.domain.feedback import liftings
from shared.telemetry import logger

router = Router()  # type: ignore[no-untyped-call]
_call = partial(call_of, router)


@router.post(
    "/contacts/<contact_id>/lift-bounce", summary="Mail arrives after all: lift a bounce",
    tags=["contacts"],
)  # fmt: skip
def lift(contact_id: ContactPath, body: Annotated[LiftBounceIn, Body()]) -> BounceLiftedOut:
    """Lifts what bounces did, with the reason on record; 409 where nothing of it stands.

    A refusal, and a hold for a message that may mean "stop", stay as they are.
    """
    call = _call()
    contacts = call.deps.contacts
    lifted = liftings(
        contact_id,
        contacts.history(contact_id),
        operator=call.operator,
        reason=body.reason,
        request_id=call.request.request_id,
        now=call.request.at,
    )
    for event in lifted:
        contacts.record(event)
    logger.info("bounce lifted", extra={"contact_id": contact_id, "operator": call.operator})
    return BounceLiftedOut(
        contact_id=contact_id,
        lifted=[event.kind for event in lifted],
        at=call.request.at,
        verdict=VerdictOut.of(
            judge(contacts.get(contact_id), call.deps.settings.eligibility_profile)
        ),
    )
