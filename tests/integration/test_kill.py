"""The sender is killed at every AWS call while people keep unsubscribing (issue 3, Done when).

A call goes through only where the same call, after the same calls of such a job, has been a
job's end before: once just before AWS had it, once just after, and once its answer was lost. A
job is delivered again until it gets through (here without SQS's limit of five). So at whatever
the run calls at last, in whatever order, it has failed in each of these ways. Every other
shard begins that anew. (The other ways in which a call fails are test_faults'.) Meanwhile people
unsubscribe. At the end everybody who was eligible throughout has exactly one mail, nobody who
unsubscribed before being claimed has any, and the ledger says why for all others.
"""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
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
CALLS_PER_STOP = 30
GROUPS = 2  # of shards
MODES = (Mode.DIES_BEFORE, Mode.DIES_AFTER, Mode.BROKEN_LATE)
KINDS = {
    "get_item", "get_secret_value", "get_account", "query", "batch_get_item", "update_item",
    "transact_write_items", "send_bulk_email", "put_item", "send_message_batch",
}  # fmt: skip
Site = tuple[str, ...]
"""A group of shards, and a job's calls up to and with the one in question."""


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
    """One run: how each call fails in turn, and who unsubscribes meanwhile."""

    world: World
    late_events: bool = False
    job: Site = ()
    calls: Counter[str] = field(default_factory=Counter)
    struck: Counter[Site] = field(default_factory=Counter)
    through: set[Site] = field(default_factory=set)
    stopped: dict[str, tuple[datetime, bool]] = field(default_factory=dict)  # claimed before?
    random: random.Random = field(default_factory=lambda: random.Random(1))

    def wrap(self, client: Any) -> Any:
        return _Proxy(self, client)

    def on_call(self, name: str, method: Callable[..., Any], request: Mapping[str, Any]) -> Any:
        self.job = (*self.job, name)
        self.calls[name] += 1
        if self.calls.total() % CALLS_PER_STOP == 0:
            self._someone_stops()
        times = self.struck[self.job]
        if times == len(MODES):
            self.through.add(self.job)
            return method(**request)
        self.struck[self.job] += 1
        mode = MODES[times]
        if mode is not Mode.DIES_BEFORE:
            method(**request)
        raise client_error("InternalServerError", 500) if mode is Mode.BROKEN_LATE else Died

    def _someone_stops(self) -> None:
        email = self.random.choice(PEOPLE)
        if email in self.stopped:
            return
        key = {"campaign_id": {"S": CAMPAIGN}, "contact_id": {"S": id_of(email)}}
        claimed = "Item" in self.world.dynamodb.get_item(TableName="ledger", Key=key)
        stop = self.world.happened(email, EventKind.UNSUBSCRIBED, source=Source.LINK)
        self.stopped[email] = stop.at, claimed

    def work_off(self) -> None:
        """Until the queue is empty. Time passes only when nothing else is left to do."""
        world = self.world
        for _ in range(20_000):
            if all(message.visible_at > world.clock.now() for message in world.queue.messages):
                self.tell()
            message = world.queue.receive()
            if message is None:
                return
            self.job = (str(int(json.loads(message.body)["shard"], 16) % GROUPS),)
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


def _throttled(world: World) -> None:
    chosen = random.Random(2).sample(PEOPLE, 120)
    world.ses.throttles = {email: 1 + number % 3 for number, email in enumerate(chosen)}


def _little_quota(world: World) -> None:
    """200 mails an hour, as it were: what is used frees itself an hour later."""
    world.ses.quota, world.ses.quota_hours = 200, 1.0


def _nothing(_world: World) -> None:
    """SES takes everything."""


SCENES: Mapping[str, tuple[bool, Callable[[World], None]]] = {
    "SES takes everything": (False, _nothing),
    "SES's events come late": (True, _nothing),
    "SES throttles": (False, _throttled),
    "a quota of 200": (False, _little_quota),
}


@pytest.mark.parametrize("scene", SCENES)
def test_nobody_is_lost_doubled_or_mailed_after_stopping(
    small_world: World, crowd: Any, scene: str, cases: Callable[[str, int], None]
) -> None:
    world = small_world
    world.begin()
    world.restore(crowd)
    world.clock.advance(hours=1)
    late_events, prepare = SCENES[scene]
    prepare(world)
    havoc = Havoc(world, late_events)
    for shard in SHARDS:
        job = {"campaign_id": CAMPAIGN, "shard": shard, "after": "", "settling": False}
        entry = {"Id": "0", "MessageBody": json.dumps(job), "DelaySeconds": 0}
        world.queue.send_message_batch(QueueUrl=world.queue.url, Entries=[entry])
    havoc.work_off()

    mails = world.mails_per_person()
    lines = {entry.contact_id: entry for entry in world.ledger.recipients(CAMPAIGN)}
    assert world.campaigns.get(CAMPAIGN).status is CampaignStatus.DONE
    assert set(mails.values()) == {1}
    for email, (at, claimed) in havoc.stopped.items():
        assert email not in mails or (claimed and lines[id_of(email)].at <= at), email
    throughout = set(PEOPLE) - set(havoc.stopped) - {*BOUNCED, *HELD}
    assert throughout <= set(mails)
    for email in PEOPLE:
        assert _explained(lines.get(id_of(email)), email, mails, havoc), email
    before = sum(not claimed for _, claimed in havoc.stopped.values())
    cases(
        f"{scene}: mails to {len(PEOPLE)} people, {len(havoc.stopped)} of whom stopped "
        f"({before} before their claim); {havoc.calls.total()} AWS calls, "
        f"{havoc.struck.total()} of them the end of a job, at {len(havoc.struck)} places",
        len(mails),
    )
    _every_call_was_the_last_once(havoc)


def _every_call_was_the_last_once(havoc: Havoc) -> None:
    assert all(havoc.struck[site] == len(MODES) for site in havoc.through)
    assert {site[-1] for site in havoc.struck} == KINDS
    for group in map(str, range(GROUPS)):
        depths = {len(site) for site in havoc.through if site[0] == group}
        assert depths == set(range(2, max(depths) + 1))
        assert {site[-1] for site in havoc.through if site[0] == group} >= {
            "transact_write_items", "send_bulk_email", "put_item",
        }  # fmt: skip


def _explained(line: Entry | None, email: str, mails: Mapping[str, int], havoc: Havoc) -> bool:
    """The ledger has the mail, or the reason; who left the list before has a fact instead."""
    if email in mails:
        return line is not None and line.outcome is Outcome.SENT and bool(line.message_id)
    if line is None:
        return email in {*havoc.stopped, *BOUNCED, *HELD}
    reason = "bounced" if email in BOUNCED else "held" if email in HELD else "unsubscribed"
    return line.outcome is Outcome.SKIPPED and line.reason in {reason, "unsubscribed"}
