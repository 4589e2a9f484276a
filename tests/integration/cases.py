"""Requests, and mail that nobody answered, as tests of the staff API need them."""

from __future__ import annotations

from datetime import date
from email.message import EmailMessage
from typing import Any

from shared.adapters.cases import CaseMail
from shared.domain.cases import Case, CaseKind, CaseState, Step, StepKind
from shared.domain.inbound import Mailbox
from shared.domain.reception import Outcome
from shared.texts.consent import Language
from tests.integration.world import INBOUND, World, id_of

EMAIL = "hanako.yamada@example.jp"
# As in events/staff_request*.json.
CASE = "c0ffee00d15c105e0000000000000001"
MAIL = "5e1f0a7b3c9d2e4f6a8b0c1d"


def a_case(world: World, *, mail_id: str = MAIL, **changes: Any) -> Case:
    """A request for disclosure by Hanako, just received, with its mail."""
    now = world.clock.now()
    values: dict[str, Any] = {
        "case_id": CASE,
        "kind": CaseKind.DISCLOSURE,
        "state": CaseState.RECEIVED,
        "contact_id": id_of(EMAIL),
        "language": Language.JA,
        "mailbox": Mailbox.REQUESTS,
        "opened_at": now,
        "due_on": date(2026, 12, 7),
        "warn_on": date(2026, 12, 4),
        "legal_on": None,
        "reason": "says_disclose",
        "confidence": 95,
        "reply_to": EMAIL,
        "steps": (Step(now, StepKind.OPENED, "person"),),
    }
    words = CaseMail(mail_id, now, "登録内容を開示してください。", "開示")
    return world.cases.create(Case(**values | changes), words)


def a_mail_nobody_answered(
    world: World,
    *,
    mail_id: str = MAIL,
    reason: str = "auto_generated",
    subject: str = "件名",
    text: str = "本文です。",
) -> None:
    """A message in the bucket, and the line that says why it was left alone."""
    mail = EmailMessage()
    mail["From"] = f"Hanako <{EMAIL}>"
    mail["To"] = "reply@mail.example.jp"
    mail["Subject"] = subject
    mail["Message-ID"] = f"<{mail_id}@example.jp>"
    mail.set_content(text)
    key = f"object-{mail_id}"
    world.s3.put_object(Bucket=INBOUND, Key=key, Body=mail.as_bytes())
    line = world.received.begin(
        mail_id, key, world.clock.tick(), contact_id=id_of(EMAIL), mailbox=Mailbox.REPLY
    )
    world.received.finish(line, outcome=Outcome.FILTERED, reason=reason, filtered=True)
