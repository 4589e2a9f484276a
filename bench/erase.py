"""What erasing one address costs: AWS calls, among few others and among very many.

The real worker on moto. The erased person has ten events, two mails and one case; how many
other people there are must not matter.
"""

from __future__ import annotations

import io
import os
from contextlib import redirect_stdout
from dataclasses import replace
from typing import Any

from functions import case_worker
from shared.adapters.contacts import event_item
from shared.domain.cases import Case, CaseState, StepKind, Task, has_step
from shared.domain.events import EventKind
from shared.telemetry import logger
from tests.integration.fakes import Faults
from tests.integration.world import LambdaContext, World, fact, id_of, letter, payload, small_aws

FEW, MANY = 100, 10_000
_EMAIL = "hanako.yamada@example.jp"
_EVENTS = 10
_BATCH = 25  # of one BatchWriteItem


def calls() -> tuple[int, int]:
    """AWS calls to erase one address among ``FEW`` others, and among ``MANY``."""
    os.environ |= {"POWERTOOLS_METRICS_NAMESPACE": "optin", "POWERTOOLS_SERVICE_NAME": "bench"}
    logger.setLevel("CRITICAL")
    with redirect_stdout(io.StringIO()):  # metrics
        return _calls(FEW), _calls(MANY)


def _calls(others: int) -> int:
    with small_aws() as world:
        _fill(world, others)
        case = _asked(world)
        faults = Faults()
        event = payload("campaign_sender")
        event["Records"][0]["body"] = f'{{"case_id": "{case.case_id}"}}'
        answer = case_worker.handler(event, LambdaContext(), world.case_worker(faults.wrap))
        ended = world.cases.get(case.case_id)
        if answer["batchItemFailures"] or not has_step(ended, StepKind.ERASED):
            raise AssertionError(f"not erased: {ended.state}")
        if world.contacts.get(id_of(_EMAIL)).address or world.objects():
            raise AssertionError("something is left")
        return len(faults.calls)


def _fill(world: World, others: int) -> None:
    """People beside the one who is erased: a contact and an event each."""
    puts: dict[str, list[dict[str, Any]]] = {"contacts": [], "events": []}
    for number in range(others):
        email = f"p{number}@example.jp"
        event = fact(id_of(email), EventKind.NOTIFIED, world.clock.now(), email=email)
        contact = {"contact_id": {"S": event.contact_id}, "version": {"N": "1"}}
        puts["events"].append({"PutRequest": {"Item": event_item(event)}})
        puts["contacts"].append({"PutRequest": {"Item": contact}})
    for table, items in puts.items():
        for start in range(0, len(items), _BATCH):
            request: Any = {table: items[start : start + _BATCH]}
            world.dynamodb.batch_write_item(RequestItems=request)


def _asked(world: World) -> Case:
    """The one who is: known for long, has written twice, and an erasure is approved."""
    world.confirmed(_EMAIL)
    for _ in range(_EVENTS - 3):  # and a hold
        world.happened(_EMAIL, EventKind.NOTIFIED)
    lines = [world.mail_in(letter(f"個人情報を削除してください。{n}")) for n in range(2)]
    case = world.cases.get(lines[-1].case_id)
    return world.cases.save(case, replace(case, state=CaseState.VERIFIED, task=Task.ERASE))
