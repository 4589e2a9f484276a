"""Form definitions (manual A1, A4, A6)."""

from __future__ import annotations

from functools import partial
from typing import Annotated

from aws_lambda_powertools.event_handler.api_gateway import Router
from aws_lambda_powertools.event_handler.openapi.params import Body

from functions.staff_api.context import call_of
from functions.staff_api.schemas import FormBody, FormIn, FormOut, FormsOut
from shared.telemetry import logger

router = Router()  # type: ignore[no-untyped-call]
_call = partial(call_of, router)


@router.get("/forms", summary="Every form", tags=["forms"])
def every() -> FormsOut:
    """Every form, by id."""
    call = _call()
    return FormsOut(forms=[FormOut.of(form) for form in call.deps.forms.all()])


@router.get("/forms/<form_id>", summary="One form", tags=["forms"])
def show(form_id: str) -> FormOut:
    """One form with the wording it shows."""
    call = _call()
    return FormOut.of(call.deps.forms.get(form_id))


@router.post("/forms", summary="Publish a new form", tags=["forms"])
def create(body: Annotated[FormIn, Body()]) -> FormOut:
    """Refused (422) where the definition would break the manual, 409 where the id is taken."""
    call = _call()
    form = body.form(body.form_id)
    call.deps.forms.save(form, new=True)
    logger.info("form created", extra={"form_id": form.form_id, "operator": call.operator})
    return FormOut.of(form)


@router.put("/forms/<form_id>", summary="Change a form", tags=["forms"])
def replace(form_id: str, body: Annotated[FormBody, Body()]) -> FormOut:
    """Replace a definition; shown to visitors within a minute."""
    call = _call()
    call.deps.forms.get(form_id)
    form = body.form(form_id)
    call.deps.forms.save(form)
    logger.info("form changed", extra={"form_id": form.form_id, "operator": call.operator})
    return FormOut.of(form)
