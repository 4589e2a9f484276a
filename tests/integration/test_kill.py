"""The sender is killed at every AWS call while people keep unsubscribing (issue 3, Done when).

Every job dies once, each one AWS call later than the job before it, from a job's first call to
beyond its last, and is delivered again: so each call of a job is once the last. (That each call
of a job fails in each way is test_faults.) In between people unsubscribe. At the end
everybody who was eligible throughout has exactly one mail, nobody who unsubscribed before being
claimed has any, and the ledger says why for all others.
"""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from functions import campaign_sender, ses_feedback
from shared.adapters.contacts import SHARDS
from shared.domain.campaigns import CampaignStatus, Entry, Outcome
from shared.domain.events import EventKind, Source
from tests.integration.fakes import Died, Mode, client_error
from tests.integration.world import LambdaContext, World, id_of, payload

CAMPAIGN = "5f2b8c0d9e71"
PEOPLE = tuple(f"person{number:03}@example.jp" for number in range(500))
BOUNCED, HELD = PEOPLE[3:9], PEOPLE[100:105]
CALLS_PER_STOP = 7
POSITIONS = 17  # a job's calls, and one more


@pytest.fixture(scope="module")
def crowd(small_world: World) -> Any:
    """500 people, some of whom cannot get mail, and a campaign under way."""
    world = small_world
    world.begin()
    for email in PEOPLE:
        world.happened(email, EventKind.NOTIFIED)
    for email in BOUNCED:
        world.happened(email, EventKind.BOUNCED, source=Source.SES)
    for email in HELD:
        world.happened(email, EventKind.HELD, source=Source.REPLY)
    world.under_way(CAMPAIGN, SHARDS)
    return world.saved()


@dataclass
class Havoc:
    """One run: who dies when, and who unsubscribes meanwhile."""

    world: World
    mode: Mode | None
    seed: int = 1
    late_events: bool = False
    dies_at: int | None = None
    call: int = 0
    next_death: int = 0
    calls: Counter[str] = field(default_factory=Counter)
    deaths: Counter[str] = field(default_factory=Counter)
    stopped: dict[str, bool] = field(default_factory=dict)  # whether claimed before

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)

    def wrap(self, client: Any) -> Any:
        return _Proxy(self, client)

    def on_call(self, name: str, method: Callable[..., Any], request: Mapping[str, Any]) -> Any:
        self.calls[name] += 1
        if self.calls.total() % CALLS_PER_STOP == 0:
            self._someone_stops()
        number, self.call = self.call, self.call + 1
        if number != self.dies_at or self.mode is None:
            return method(**request)
        self.deaths[name] += 1
        if self.mode is not Mode.DIES_BEFORE:
            method(**request)
        raise client_error("InternalServerError", 500) if self.mode is Mode.BROKEN_LATE else Died

    def _someone_stops(self) -> None:
        email = self.random.choice(PEOPLE)
        if email in self.stopped:
            return
        key = (CAMPAIGN, id_of(email))
        lines = {(i["campaign_id"]["S"], i["contact_id"]["S"]) for i in self.world.table("ledger")}
        self.stopped[email] = key in lines
        self.world.happened(email, EventKind.UNSUBSCRIBED, source=Source.LINK)

    def work_off(self) -> None:
        """Until the queue is empty. Time passes only when nothing else is left to do."""
        world = self.world
        for _ in range(20_000):
            if all(message.visible_at > world.clock.now() for message in world.queue.messages):
                self.tell()
            message = world.queue.receive()
            if message is None:
                return
            self.call, self.dies_at = 0, None
            if message.received == 1:
                self.dies_at = self.next_death % POSITIONS
                self.next_death += 1
            event = payload("campaign_sender")
            event["Records"][0]["body"] = message.body
            try:
                answer = campaign_sender.handler(
                    event, LambdaContext(), world.campaign_sender(self.wrap)
                )
            except Died:
                continue
            if not answer["batchItemFailures"]:
                world.queue.delete(message)
            if not self.late_events:
                self.tell()
        raise AssertionError("the queue does not become empty")

    def tell(self) -> None:
        """SES's events arrive; every seventh one twice."""
        for number, event in enumerate(self.world.ses.tell()):
            for _ in range(2 if number % 7 == 0 else 1):
                ses_feedback.handler(event, LambdaContext(), self.world.ses_feedback())


class _Proxy:
    def __init__(self, havoc: Havoc, client: Any) -> None:
        self._havoc, self._client = havoc, client

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method = getattr(self._client, name)
        return lambda **request: self._havoc.on_call(name, method, request)


SCENES: Mapping[str, dict[str, Any]] = {
    "undisturbed": {"mode": None},
    "dies before each call": {"mode": Mode.DIES_BEFORE},
    "dies after each call": {"mode": Mode.DIES_AFTER},
    "dies after each call, SES's events late": {"mode": Mode.DIES_AFTER, "late_events": True},
    "each answer lost": {"mode": Mode.BROKEN_LATE},
    "dies after each call, throttled": {"mode": Mode.DIES_AFTER, "throttled": True},
}


@pytest.mark.parametrize("scene", SCENES)
def test_nobody_is_lost_doubled_or_mailed_after_stopping(
    small_world: World, crowd: Any, scene: str, cases: Callable[[str, int], None]
) -> None:
    world = small_world
    world.begin()
    world.restore(crowd)
    world.clock.advance(hours=1)
    options = dict(SCENES[scene])
    world.ses.rate = options.pop("rate", 1_000.0)
    world.ses.per_day = options.pop("per_day", -1.0)
    if options.pop("throttled", False):
        chosen = random.Random(2).sample(PEOPLE, 120)
        world.ses.throttles = {email: 1 + number % 3 for number, email in enumerate(chosen)}
    havoc = Havoc(world, **options)
    jobs = [
        {"campaign_id": CAMPAIGN, "shard": shard, "after": "", "settling": False}
        for shard in SHARDS
    ]
    for job in jobs:
        entry = {"Id": "0", "MessageBody": json.dumps(job), "DelaySeconds": 0}
        world.queue.send_message_batch(QueueUrl=world.queue.url, Entries=[entry])
    havoc.work_off()

    mails = world.mails_per_person()
    lines = {entry.contact_id: entry for entry in world.ledger.recipients(CAMPAIGN)}
    assert world.campaigns.get(CAMPAIGN).status is CampaignStatus.DONE
    assert set(mails.values()) == {1}
    before = {email for email, claimed in havoc.stopped.items() if not claimed}
    assert not before & set(mails)
    throughout = set(PEOPLE) - set(havoc.stopped) - {*BOUNCED, *HELD}
    assert throughout <= set(mails)
    for email in PEOPLE:
        assert _explained(lines.get(id_of(email)), email, mails, havoc)
    cases(
        f"{scene}: mails to {len(PEOPLE)} people, {len(havoc.stopped)} of whom stopped "
        f"({len(before)} before their claim); {havoc.deaths.total()} deaths at "
        f"{len(havoc.deaths)} kinds of calls",
        len(mails),
    )
    if havoc.mode is not None:
        assert set(havoc.deaths) >= set(_KINDS), set(_KINDS) - set(havoc.deaths)


_KINDS = (
    "get_item", "query", "update_item", "transact_write_items", "send_bulk_email", "put_item",
)  # fmt: skip


def _explained(line: Entry | None, email: str, mails: Mapping[str, int], havoc: Havoc) -> bool:
    """The ledger has the mail, or the reason; who left the list unseen has a refusal instead."""
    if email in mails:
        return line is not None and line.outcome is Outcome.SENT and bool(line.message_id)
    if line is None:
        return email in havoc.stopped
    reason = "bounced" if email in BOUNCED else "held" if email in HELD else "unsubscribed"
    return line.outcome is Outcome.SKIPPED and line.reason in {reason, "unsubscribed"}
