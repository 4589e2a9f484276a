"""The sender is killed at every AWS call while people keep unsubscribing.

First at one call at a time: each call of a whole run is once a job's end, in each of three ways,
and what is left of the run goes well.

Then at call after call. A call goes through only where the same call, after the same calls of
such a job, has been a job's end before: once just before AWS had it, once just after, and once its
answer was lost. A job is delivered again until it gets through (here without SQS's limit of
five). So at whatever the run calls at last, in whatever order, it has failed in each of these
ways. Every other shard begins that anew: one shard's people alone would all have been claimed
before the last call is reached. (The other ways in which a call fails are test_faults'.)

Meanwhile people unsubscribe. At the end everybody who was eligible throughout has exactly one
mail, nobody who unsubscribed before being claimed has any, and the ledger says why for all others.
"""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from typing import Any

import pytest

from functions import campaign_sender, ses_feedback
from shared.adapters.contacts import SHARDS, shard_of
from shared.domain.campaigns import CampaignStatus, Entry, Outcome
from shared.domain.events import EventKind, Source
from tests.integration.fakes import Died, Mode, client_error
from tests.integration.world import LambdaContext, World, id_of, payload

CAMPAIGN = "5f2b8c0d9e71"
PEOPLE = tuple(f"person{number:03}@example.jp" for number in range(500))
BOUNCED, HELD = PEOPLE[3:9], PEOPLE[100:105]
CALLS_PER_STOP = 30
CALLS_PER_STOP_OF_A_SHARD = 7
GROUPS = 2  # of shards
MODES = (Mode.DIES_BEFORE, Mode.DIES_AFTER, Mode.BROKEN_LATE)
READS = ("get_", "query", "batch_get")
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
    campaign: str = CAMPAIGN
    people: tuple[str, ...] = PEOPLE
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
        return _fails(MODES[times], method, request)

    def _someone_stops(self) -> None:
        email = self.random.choice(self.people)
        if email in self.stopped:
            return
        key = {"campaign_id": {"S": self.campaign}, "contact_id": {"S": id_of(email)}}
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


def _fails(mode: Mode, method: Callable[..., Any], request: Mapping[str, Any]) -> Any:
    if mode is not Mode.DIES_BEFORE:
        method(**request)
    raise client_error("InternalServerError", 500) if mode is Mode.BROKEN_LATE else Died


@dataclass
class Blow(Havoc):
    """One run of a shard, in which one call is its job's end."""

    at: int = 0
    mode: Mode = Mode.DIES_BEFORE

    def on_call(self, name: str, method: Callable[..., Any], request: Mapping[str, Any]) -> Any:
        number = self.calls.total()
        self.calls[name] += 1
        if number % CALLS_PER_STOP_OF_A_SHARD == 0:
            self._someone_stops()
        if number != self.at:
            return method(**request)
        self.struck[name,] += 1
        return _fails(self.mode, method, request)


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
        _queue(world, CAMPAIGN, shard)
    havoc.work_off()

    mails = _everybody_got_one_or_a_reason(havoc)
    before = sum(not claimed for _, claimed in havoc.stopped.values())
    cases(
        f"{scene}: mails to {len(PEOPLE)} people, {len(havoc.stopped)} of whom stopped "
        f"({before} before their claim); {havoc.calls.total()} AWS calls, "
        f"{havoc.struck.total()} of them the end of a job, at {len(havoc.struck)} places",
        len(mails),
    )
    _every_call_was_the_last_once(havoc)


def test_any_one_call_of_a_whole_run_may_be_its_jobs_last(
    small_world: World, crowd: Any, cases: Callable[[str, int], None]
) -> None:
    """All shards, all their calls: each time a campaign of its own to the people of the shard."""
    blows = Counter[str]()
    for shard in SHARDS:
        small_world.begin()
        small_world.restore(crowd)
        small_world.clock.advance(hours=1)
        people = tuple(email for email in PEOPLE if shard_of(id_of(email)) == shard)
        for number in count():
            first = _one_blow(small_world, shard, people, number, Mode.DIES_BEFORE)
            if not first.struck:
                assert number > 10
                break
            [(name,)] = first.struck
            blows[name] += 1
            if not name.startswith(READS):  # dying after a read is no other than dying before it
                for mode in MODES[1:]:
                    assert _one_blow(small_world, shard, people, number, mode).struck
                    blows[name] += 1
    assert set(blows) == KINDS - {"send_message_batch"}
    cases(f"calls of a run to {len(PEOPLE)} people, each once a job's end", blows.total())


def _one_blow(world: World, shard: str, people: tuple[str, ...], number: int, mode: Mode) -> Blow:
    campaign = f"{number:x}".rjust(12, str(MODES.index(mode)))
    world.under_way(campaign, [shard])
    world.ses.mails.clear()
    blow = Blow(
        world, campaign=campaign, people=people, random=random.Random(number), at=number, mode=mode
    )
    _queue(world, campaign, shard)
    blow.work_off()
    _everybody_got_one_or_a_reason(blow)
    for email in blow.stopped:
        world.happened(email, EventKind.RESUBSCRIBED, source=Source.LINK)
    return blow


def _queue(world: World, campaign: str, shard: str) -> None:
    job = {"campaign_id": campaign, "shard": shard, "after": "", "settling": False}
    entry = {"Id": "0", "MessageBody": json.dumps(job), "DelaySeconds": 0}
    world.queue.send_message_batch(QueueUrl=world.queue.url, Entries=[entry])


def _everybody_got_one_or_a_reason(havoc: Havoc) -> Counter[str]:
    world = havoc.world
    mails = world.mails_per_person()
    lines = {entry.contact_id: entry for entry in world.ledger.recipients(havoc.campaign)}
    assert world.campaigns.get(havoc.campaign).status is CampaignStatus.DONE
    assert set(mails.values()) == {1}
    for email, (at, claimed) in havoc.stopped.items():
        assert email not in mails or (claimed and lines[id_of(email)].at <= at), email
    throughout = set(havoc.people) - set(havoc.stopped) - {*BOUNCED, *HELD}
    assert throughout <= set(mails) <= set(havoc.people)
    for email in havoc.people:
        assert _explained(lines.get(id_of(email)), email, mails, havoc), email
    return mails


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
