"""Where a person is known to live, which decides whether GDPR applies (manual L1, R1)."""

from __future__ import annotations

from functools import partial
from typing import Annotated

from aws_lambda_powertools.event_handler.api_gateway import Router
from aws_lambda_powertools.event_handler.openapi.params import Body

from functions.staff_api.contacts import known
from functions.staff_api.context import Call, call_of
from functions.staff_api.schemas import ContactPath, ResidenceIn, ResidenceOut, VerdictOut
from shared.domain import cases
from shared.domain.cases import Case
from shared.domain.eligibility import judge
from shared.domain.errors import Conflict, Unavailable
from shared.domain.events import Event, EventKind, Source, event_id
from shared.telemetry import logger

router = Router()  # type: ignore[no-untyped-call]
_call = partial(call_of, router)
_TRIES = 5


@router.post(
    "/contacts/<contact_id>/residence", summary="Where the person lives, as far as GDPR asks",
    tags=["contacts"],
)  # fmt: skip
def state(contact_id: ContactPath, body: Annotated[ResidenceIn, Body()]) -> ResidenceOut:
    """Recorded as a fact. Open requests get GDPR's month, or lose it.

    404 where nothing is on record: neither a contact nor a request.
    """
    call = _call()
    deps = call.deps
    of_contact = deps.cases.of_contact(contact_id)
    if not of_contact:
        known(deps, contact_id)
    event = Event(
        contact_id=contact_id,
        event_id=event_id(call.request.request_id, EventKind.RESIDENCE_STATED),
        kind=EventKind.RESIDENCE_STATED,
        at=call.request.at,
        source=Source.STAFF,
        details={
            "region": body.region,
            "operator": call.operator,
            "request_id": call.request.request_id,
        },
    )
    deps.contacts.record(event)
    changed = [case.case_id for case in of_contact if _has_changed(call, case, body.region)]
    logger.info("residence stated", extra={"contact_id": contact_id, "operator": call.operator})
    return ResidenceOut(
        contact_id=contact_id,
        region=body.region,
        at=event.at,
        requests=changed,
        verdict=VerdictOut.of(
            judge(deps.contacts.get(contact_id), deps.settings.eligibility_profile)
        ),
    )


def _has_changed(call: Call, case: Case, region: str) -> bool:
    """Whether the request's days are others now; onto whatever was saved meanwhile."""
    store = call.deps.cases
    for _ in range(_TRIES):
        changed = cases.with_region(case, region, by=call.operator, now=call.request.at)
        if changed == case:
            return False
        try:
            store.save(case, changed)
        except Conflict:
            case = store.get(case.case_id)
            continue
        return True
    raise Unavailable("cases:contention")
