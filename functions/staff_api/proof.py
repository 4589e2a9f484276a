"""Proof: everything about one address as a file, and what became of one recipient (A2, D4, U1)."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.api_gateway import Router
from aws_lambda_powertools.event_handler.openapi.params import Body, Query

from functions.proof_file import FileFormat, proof_file
from functions.staff_api.contacts import known
from functions.staff_api.context import Call, call_of
from functions.staff_api.proof_schemas import (
    ProofConditionOut,
    ProofIn,
    ProofOut,
    RecipientIn,
    RecipientOut,
)
from functions.staff_api.schemas import CampaignPath, ContactPath, EntryOut
from shared.domain.recipient import explain, received_among
from shared.proof.record import condition_record
from shared.proof.sentences import sentence
from shared.telemetry import logger

router = Router()  # type: ignore[no-untyped-call]
_call = partial(call_of, router)

_FILE: dict[int, Any] = {
    200: {
        "description": "The file, as an attachment",
        "content": {
            "application/json": {"model": ProofOut},
            "text/html": {"schema": {"type": "string"}},
        },
    }
}


@router.get(
    "/contacts/<contact_id>/proof", summary="The proof file of a contact", tags=["contacts"],
    responses=_FILE,
)  # fmt: skip
def file_of_contact(
    contact_id: ContactPath,
    kind: Annotated[FileFormat, Query(alias="format")] = FileFormat.HTML,
) -> Response[str]:
    """Everything on record about a contact as one file, or 404."""
    return _file(_call(), contact_id, kind)


@router.post(
    "/contacts/proof", summary="The proof file of an address, also of an erased person",
    tags=["contacts"], responses=_FILE,
)  # fmt: skip
def file_of_address(body: Annotated[ProofIn, Body()]) -> Response[str]:
    """The same for an address that an authority names.

    The address is in the body, so that it stands in no log, and in the file only masked. Of an
    erased person the file proves a consent from kinds, times and wordings alone.
    """
    call = _call()
    contact_id = call.deps.contact_id_of(body.email)
    return _file(call, contact_id, body.format, call.deps.address(body.email).masked)


def _file(call: Call, contact_id: str, kind: FileFormat, asked_for: str = "") -> Response[str]:
    contact = known(call.deps, contact_id)
    file = proof_file(
        call.deps, contact, made_at=call.request.at, made_by=call.operator, asked_for=asked_for
    )
    logger.info(
        "proof made",
        extra={
            "contact_id": contact_id,
            "operator": call.operator,
            "format": kind,
            "sha256": file.sha256,
        },
    )
    served = file.served(kind)
    return Response(200, served.content_type, served.body, dict(served.headers))


@router.get(
    "/campaigns/<campaign_id>/recipients/<contact_id>",
    summary="Did this contact get this campaign, and why, or why not?",
    tags=["campaigns"],
)
def recipient(campaign_id: CampaignPath, contact_id: ContactPath) -> RecipientOut:
    """One sentence, the ledger's line and the conditions as of then; 404 for a stranger."""
    return _recipient(_call(), campaign_id, contact_id)


@router.post(
    "/campaigns/<campaign_id>/recipients/lookup",
    summary="Did this address get this campaign, and why, or why not?",
    tags=["campaigns"],
)
def recipient_by_address(
    campaign_id: CampaignPath, body: Annotated[RecipientIn, Body()]
) -> RecipientOut:
    """The same by address, which is in the body, so that it stands in no log."""
    call = _call()
    return _recipient(call, campaign_id, call.deps.contact_id_of(body.email))


def _recipient(call: Call, campaign_id: str, contact_id: str) -> RecipientOut:
    deps = call.deps
    campaign = deps.campaigns.get(campaign_id)
    known(deps, contact_id)
    earlier = {campaign.audience.received, campaign.audience.not_received} - {""}
    lines = list(deps.ledger.of_contact(contact_id, sorted({campaign_id} | earlier)))
    entry = next((line for line in lines if line.campaign_id == campaign_id), None)
    explained = explain(
        campaign,
        entry,
        list(deps.contacts.history(contact_id)),
        contact_id=contact_id,
        profile=deps.settings.eligibility_profile,
        now=call.request.at,
        reported=deps.figures.fates([entry])[0] if entry else (),
        received=received_among(lines),
    )
    logger.info(
        "recipient viewed",
        extra={
            "contact_id": contact_id,
            "campaign_id": campaign_id,
            "operator": call.operator,
        },
    )
    told = sentence(explained)
    return RecipientOut(
        campaign_id=campaign_id,
        contact_id=contact_id,
        finding=explained.finding,
        reason=explained.reason,
        sentence_ja=told.ja,
        sentence_en=told.en,
        entry=EntryOut.of(entry) if entry else None,
        as_of=explained.as_of,
        conditions=[
            ProofConditionOut.model_validate(condition_record(each))
            for each in explained.conditions
        ],
    )
