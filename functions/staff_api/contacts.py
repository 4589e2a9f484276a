"""Contacts: who is this address, may it get mail, and why (manual A2, U1)."""

from __future__ import annotations

from functools import partial
from typing import Annotated

from aws_lambda_powertools.event_handler.api_gateway import Router
from aws_lambda_powertools.event_handler.openapi.params import Body

from functions.staff_api.context import Call, Deps, call_of
from functions.staff_api.schemas import (
    ContactOut,
    ContactPath,
    EntryOut,
    EventOut,
    LookupIn,
    RequestLineOut,
    UnsubscriptionIn,
    UnsubscriptionOut,
    VerdictOut,
)
from shared.domain.calendar import japan_date
from shared.domain.contact import Contact
from shared.domain.eligibility import judge
from shared.domain.errors import NotFound
from shared.domain.events import Event, EventKind, Source, event_id
from shared.telemetry import logger

router = Router()  # type: ignore[no-untyped-call]
_call = partial(call_of, router)


@router.post(
    "/contacts/lookup", summary="Find a contact by address, with the explained verdict",
    tags=["contacts"],
)  # fmt: skip
def lookup(body: Annotated[LookupIn, Body()]) -> ContactOut:
    """Everything held about an address, or 404."""
    call = _call()
    return _show(call, call.deps.contact_id_of(body.email))


@router.get(
    "/contacts/<contact_id>", summary="A contact by its id, with the explained verdict",
    tags=["contacts"],
)  # fmt: skip
def show(contact_id: ContactPath) -> ContactOut:
    """Everything held about a contact, or 404."""
    return _show(_call(), contact_id)


def known(deps: Deps, contact_id: str) -> Contact:
    """The contact.

    Raises:
        NotFound: nothing is on record.
    """
    contact = deps.contacts.get(contact_id)
    if not contact.version:
        raise NotFound(
            "unknown_contact",
            "このメールアドレスの記録はありません。",
            "Nothing is on record for this address.",
        )
    return contact


def _show(call: Call, contact_id: str) -> ContactOut:
    deps = call.deps
    contact = known(deps, contact_id)
    logger.info("contact viewed", extra={"contact_id": contact_id, "operator": call.operator})
    campaigns = [campaign.campaign_id for campaign in deps.campaigns.all()]
    today = japan_date(call.request.at)
    return ContactOut(
        contact_id=contact_id,
        address=contact.address,
        typed=contact.typed,
        address_kind=contact.address_kind,
        verdict=VerdictOut.of(judge(contact, deps.settings.eligibility_profile)),
        history=[EventOut.of(event) for event in deps.contacts.history(contact_id)],
        campaigns=[EntryOut.of(entry) for entry in deps.ledger.of_contact(contact_id, campaigns)],
        requests=[
            RequestLineOut.of(case, today, own_mailbox=deps.is_own_mailbox(case))
            for case in deps.cases.of_contact(contact_id)
        ],
    )


@router.post(
    "/unsubscriptions", summary="Record that a person wants no more mail (S3)",
    tags=["unsubscriptions"],
)  # fmt: skip
def unsubscribe(body: Annotated[UnsubscriptionIn, Body()]) -> UnsubscriptionOut:
    """Effective at once. An address we do not know is suppressed too, by its id alone."""
    call = _call()
    contact_id = body.contact_id or call.deps.contact_id_of(body.email or "")
    event = Event(
        contact_id=contact_id,
        event_id=event_id(call.request.request_id, EventKind.UNSUBSCRIBED),
        kind=EventKind.UNSUBSCRIBED,
        at=call.request.at,
        source=Source(body.channel.value),
        details={
            "operator": call.operator,
            "reason": body.reason,
            "request_id": call.request.request_id,
        },
    )
    call.deps.contacts.record(event)
    logger.info("unsubscribed", extra={"contact_id": contact_id, "operator": call.operator})
    return UnsubscriptionOut(contact_id=contact_id, event_id=event.event_id, at=event.at)
