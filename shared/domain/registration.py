"""An advisor confirms an opt-in before the address joins the list (manual A3)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from shared.domain.contact import Contact, Register
from shared.domain.errors import Conflict, NotFound
from shared.domain.events import Event, EventKind, Source, event_id


def confirmation(
    contact: Contact,
    history: Iterable[Event],
    submission_id: str,
    *,
    operator: str,
    now: datetime,
) -> Event:
    """The registration of one submission: a new fact, or the one already recorded.

    Its yes counts from the moment the box was ticked, not from the confirmation, so that
    confirming late never overrides a refusal in between.

    Raises:
        NotFound: the contact has no such submission.
        Conflict: there is no opt-in, the person has refused since, or was erased; with the
            reason for the advisor.
    """
    facts = list(history)
    submission = next((fact for fact in facts if fact.event_id == submission_id), None)
    if submission is None:
        raise NotFound(
            "unknown_submission", "この申込みは見つかりません。", "There is no such submission."
        )
    if submission.kind is not EventKind.OPTED_IN:
        raise Conflict(
            "no_opt_in",
            "配信希望のチェック(オプトイン)がないため、配信リストに登録できません(マニュアル A3)。",
            "There is no opt-in, so the address cannot join the list (manual A3).",
        )
    for fact in facts:
        if fact.kind is EventKind.REGISTERED and fact.details.get("submission_id") == submission_id:
            return fact
    refused = contact.get(Register.REFUSED)
    if refused is not None and refused.at >= submission.at:
        raise Conflict(
            "refused_since",
            "この申込みのあとに配信停止のお申し出があったため、登録できません(マニュアル S4)。",
            "The person has refused since this submission (manual S4).",
        )
    return Event(
        contact_id=contact.contact_id,
        event_id=event_id(submission_id, EventKind.REGISTERED),
        kind=EventKind.REGISTERED,
        at=now,
        source=Source.STAFF,
        details={
            "submission_id": submission_id,
            "operator": operator,
            "form_id": submission.details.get("form_id", ""),
            "municipality": submission.details.get("municipality", ""),
        },
        wording=submission.wording,
        consent_at=submission.at,
    )
