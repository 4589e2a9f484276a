"""Life of a campaign: every transition from every status, and every path through them.

Two people are needed, what was edited is approved anew, and nothing is sent twice.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from shared.domain import lifecycle
from shared.domain.audience import Audience
from shared.domain.campaigns import Campaign, CampaignStatus, PauseReason
from shared.domain.errors import Conflict, NotAllowed, OptinError, Unprocessable
from shared.domain.events import Source

NOW = datetime(2026, 12, 1, 0, 30, tzinfo=UTC)
LATER = NOW + timedelta(days=2)
AUTHOR, COLLEAGUE = "cs-sato", "gs-suzuki"
S = CampaignStatus
ALL = set(CampaignStatus)
BEFORE = {S.DRAFT, S.APPROVED, S.SCHEDULED}
ENDED = {S.DONE, S.CANCELLED}


def campaign(status: CampaignStatus = S.DRAFT, **changes: object) -> Campaign:
    """A campaign that has come as far as ``status``, with all that this leaves behind."""
    made = lifecycle.tested(Campaign("5f2b8c0d9e71", "件名", "本文", AUTHOR, NOW))
    values: dict[str, object] = {"status": status}
    if status is not S.DRAFT:
        values |= {"approved_by": COLLEAGUE, "approved_at": NOW}
    if status is S.SCHEDULED:
        values["scheduled_for"] = LATER
    if status in {S.SENDING, S.PAUSED, S.DONE}:
        values["started_at"] = NOW
    if status is S.PAUSED:
        values["pause_reason"] = PauseReason.STAFF
    return replace(made, **(values | changes))  # type: ignore[arg-type]


def edit(c: Campaign, *, body: str = "新しい本文", actor: str = COLLEAGUE) -> Campaign:
    return lifecycle.edited(
        c, subject=c.subject, body=body, text=c.text, audience=c.audience, actor=actor
    )


def approve(c: Campaign, actor: str = COLLEAGUE, *, alone: bool = False) -> Campaign:
    return lifecycle.approved(c, actor=actor, now=NOW, author_may_approve=alone)


def schedule(c: Campaign, at: datetime = LATER) -> Campaign:
    return lifecycle.scheduled(c, at=at, now=NOW)


def start(c: Campaign) -> Campaign:
    return lifecycle.started(c, now=NOW)


def pause(c: Campaign) -> Campaign:
    return lifecycle.paused(c, PauseReason.STAFF)


# action: (transition, from where it is possible, where it leads, the code where it is not)
ACTIONS: dict[str, tuple[Callable[[Campaign], Campaign], set[CampaignStatus], CampaignStatus]] = {
    "edit": (edit, BEFORE, S.DRAFT),
    "approve": (approve, {S.DRAFT, S.APPROVED}, S.APPROVED),
    "schedule": (schedule, {S.APPROVED, S.SCHEDULED}, S.SCHEDULED),
    "unschedule": (lifecycle.unscheduled, {S.APPROVED, S.SCHEDULED}, S.APPROVED),
    "send": (start, {S.APPROVED, S.SCHEDULED, S.SENDING}, S.SENDING),
    "pause": (pause, {S.SENDING, S.PAUSED}, S.PAUSED),
    "resume": (lifecycle.resumed, {S.PAUSED, S.SENDING}, S.SENDING),
    "cancel": (lifecycle.cancelled, ALL - {S.DONE}, S.CANCELLED),
}


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("status", CampaignStatus)
def test_what_leads_where(status: CampaignStatus, action: str) -> None:
    transition, possible, leads_to = ACTIONS[action]
    before = campaign(status)
    if status in possible:
        after = transition(before)
        assert after.status is leads_to
        # The same again (a retry) changes nothing, but editing what an edit made a draft.
        assert transition(after) == after
        return
    with pytest.raises(Conflict) as refused:
        transition(before)
    again = status in ENDED and action in {"send", "approve", "schedule", "resume"}
    assert refused.value.code == ("already_sent" if again else f"cannot_{action}")
    assert refused.value.ja.endswith("。")
    assert status.value in refused.value.en


@pytest.mark.parametrize("status", CampaignStatus)
def test_a_test_is_sent_before_sending_only(status: CampaignStatus) -> None:
    untested = campaign(status, tested_hash="")
    if status in BEFORE:
        after = lifecycle.tested(untested)
        assert after == replace(untested, tested_hash=lifecycle.content_hash(untested))
    else:
        with pytest.raises(Conflict):
            lifecycle.tested(untested)


# --- approval


def test_somebody_else_approves() -> None:
    """One who wrote, or ever edited, does not approve: however many edited after."""
    draft = campaign()
    for actor in (AUTHOR, COLLEAGUE):
        draft = lifecycle.tested(edit(draft, body=f"{actor}の本文", actor=actor))
    assert draft.authors == {AUTHOR, COLLEAGUE}
    assert draft.edited_by == COLLEAGUE
    for actor in (AUTHOR, COLLEAGUE):
        with pytest.raises(NotAllowed) as refused:
            approve(draft, actor)
        assert refused.value.code == "author_cannot_approve"
    approved = approve(draft, "cs-tanaka")
    assert (approved.approved_by, approved.approved_at) == ("cs-tanaka", NOW)


def test_one_setting_relaxes_that() -> None:
    assert approve(campaign(), AUTHOR, alone=True).approved_by == AUTHOR


def test_the_second_of_two_approvers_is_told() -> None:
    with pytest.raises(Conflict) as refused:
        approve(approve(campaign()), "cs-tanaka")
    assert refused.value.code == "cannot_approve"


def test_only_a_tested_content_is_approved() -> None:
    for untested in (campaign(tested_hash=""), edit(campaign())):
        with pytest.raises(Conflict) as refused:
            approve(untested, "cs-tanaka")
        assert refused.value.code == "not_tested"


@pytest.mark.parametrize("status", sorted(BEFORE))
def test_editing_withdraws_approval_and_schedule(status: CampaignStatus) -> None:
    after = edit(campaign(status))
    assert (after.approved_by, after.approved_at, after.scheduled_for) == ("", None, None)
    assert not lifecycle.is_due(after, now=LATER)


# --- what a test and an approval refer to

MANY = Audience(
    sources=frozenset(Source),
    form_ids=frozenset({"sakura-city", "seminar", "soudan"}),
    municipalities=frozenset({"さくら市", "みどり市", "あおば市"}),
    registered_from=NOW,
    registered_until=LATER,
    received="0" * 12,
    not_received="1" * 12,
)


def test_the_hash_is_the_same_in_every_process() -> None:
    """A set has another order in every process: what is tested in one is approved in another."""
    written = replace(campaign(), audience=MANY)
    assert lifecycle.content_hash(written) == (
        "0a9a74f0a3d5e36bb3b143977ad857faa05a8f449e9cbcb33d388c15691d9ca1"
    )
    elsewhere = replace(MANY, registered_from=NOW.astimezone(timezone(timedelta(hours=9))))
    assert lifecycle.content_hash(replace(written, audience=elsewhere)) == (
        lifecycle.content_hash(written)
    )


@pytest.mark.parametrize(
    "change",
    [
        {"subject": "件名2"},
        {"body": "本文2"},
        {"text": "テキスト"},
        *(
            {"audience": replace(MANY, **{name: type(value)()})}
            for name in ("sources", "form_ids", "municipalities", "received", "not_received")
            for value in [getattr(MANY, name)]
        ),
        {"audience": replace(MANY, registered_from=None)},
        {"audience": replace(MANY, registered_until=None)},
    ],
    ids="-".join,
)
def test_whatever_is_changed_is_another_content(change: dict[str, object]) -> None:
    written = replace(campaign(), audience=MANY)
    changed = replace(written, **change)  # type: ignore[arg-type]
    assert lifecycle.content_hash(changed) != lifecycle.content_hash(written)


# --- schedule


@pytest.mark.parametrize(
    "at",
    [NOW - timedelta(days=400), NOW - timedelta(seconds=1), NOW, NOW + timedelta(days=365.001)],
    ids=str,
)
def test_a_schedule_is_in_the_coming_year(at: datetime) -> None:
    with pytest.raises(Unprocessable) as refused:
        schedule(campaign(S.APPROVED), at)
    assert set(refused.value.fields) == {"at"}
    assert refused.value.fields["at"].code == "not_in_future"


def test_a_schedule_can_be_moved_and_taken_back() -> None:
    moved = schedule(campaign(S.SCHEDULED), NOW + timedelta(hours=1))
    assert moved.scheduled_for == NOW + timedelta(hours=1)
    assert lifecycle.unscheduled(moved).scheduled_for is None
    assert lifecycle.cancelled(moved).scheduled_for is None


def test_only_the_awaited_start_is_due() -> None:
    waiting = campaign(S.SCHEDULED)
    assert lifecycle.is_due(waiting, now=LATER)
    assert lifecycle.is_due(waiting, now=LATER + timedelta(days=1))
    assert lifecycle.is_due(waiting, now=LATER - timedelta(seconds=59))
    assert not lifecycle.is_due(waiting, now=LATER - timedelta(seconds=61))
    assert not lifecycle.is_due(replace(waiting, scheduled_for=None), now=LATER)
    for status in ALL - {S.SCHEDULED}:
        assert not lifecycle.is_due(campaign(status, scheduled_for=LATER), now=LATER)


# --- the rest


def test_pause_and_resume() -> None:
    running = campaign(S.SENDING)
    stopped = lifecycle.paused(running, PauseReason.REPUTATION)
    assert stopped.pause_reason is PauseReason.REPUTATION
    assert pause(stopped).pause_reason is PauseReason.REPUTATION
    assert lifecycle.resumed(stopped) == running


@pytest.mark.parametrize("status", CampaignStatus)
def test_a_clone_is_a_new_draft_with_the_same_content(status: CampaignStatus) -> None:
    original = replace(campaign(status), audience=MANY, text="テキスト", version=7)
    clone = lifecycle.cloned(original, campaign_id="c0ffee123456", actor="cs-tanaka", now=LATER)
    assert lifecycle.content_hash(clone) == lifecycle.content_hash(original)
    assert clone == Campaign(
        "c0ffee123456",
        "件名",
        "本文",
        "cs-tanaka",
        LATER,
        text="テキスト",
        audience=MANY,
        cloned_from=original.campaign_id,
    )


# --- every path


class Life(RuleBasedStateMachine):
    """Anybody does anything in any order, scheduled starts arrive whenever they like.

    What begins to be sent was tested and approved as it is, by somebody who did not write it;
    it begins once, and never after it was cancelled or done.
    """

    def __init__(self) -> None:
        super().__init__()
        self.campaign = Campaign("5f2b8c0d9e71", "件名", "本文0", AUTHOR, NOW)
        self.now = NOW
        self.tested: set[str] = set()
        self.agreed: dict[str, str] = {}  # body: who approved it
        self.wrote: dict[str, set[str]] = {"本文0": {AUTHOR}}
        self.beginnings: list[str] = []
        self.ended = False

    def attempt(self, transition: Callable[[Campaign], Campaign]) -> bool:
        before = self.campaign
        try:
            self.campaign = transition(before)
        except OptinError:
            assert self.campaign is before
            return False
        if before.status is not S.SENDING and self.campaign.started_at != before.started_at:
            self.beginnings.append(self.campaign.body)
        assert not (self.ended and self.campaign.status not in ENDED)
        self.ended = self.campaign.status in ENDED
        return True

    @rule(actor=st.sampled_from([AUTHOR, COLLEAGUE]), number=st.integers(0, 2))
    def edits(self, actor: str, number: int) -> None:
        body = f"本文{number}"
        if self.attempt(lambda c: edit(c, body=body, actor=actor)):
            self.wrote.setdefault(body, set()).add(actor)
            self.agreed.clear()

    @rule()
    def tests(self) -> None:
        if self.attempt(lifecycle.tested):
            self.tested.add(self.campaign.body)

    @rule(actor=st.sampled_from([AUTHOR, COLLEAGUE, "cs-tanaka", "it-ito"]))
    def approves(self, actor: str) -> None:
        if self.attempt(lambda c: approve(c, actor)):
            self.agreed.setdefault(self.campaign.body, actor)

    @rule(hours=st.integers(-1, 48))
    def schedules(self, hours: int) -> None:
        at = self.now + timedelta(hours=hours)
        self.attempt(lambda c: lifecycle.scheduled(c, at=at, now=self.now))

    @rule()
    def takes_schedule_back(self) -> None:
        self.attempt(lifecycle.unscheduled)

    @rule(hours=st.integers(0, 48))
    def time_passes(self, hours: int) -> None:
        self.now += timedelta(hours=hours)

    @rule()
    def some_scheduled_start_arrives(self) -> None:
        if lifecycle.is_due(self.campaign, now=self.now):
            assert self.attempt(lambda c: lifecycle.started(c, now=self.now))

    @rule()
    def sends(self) -> None:
        self.attempt(lambda c: lifecycle.started(c, now=self.now))

    @rule()
    def pauses(self) -> None:
        self.attempt(pause)

    @rule()
    def resumes(self) -> None:
        self.attempt(lifecycle.resumed)

    @rule()
    def cancels(self) -> None:
        self.attempt(lifecycle.cancelled)

    @rule()
    def everybody_has_it(self) -> None:
        if self.campaign.status in {S.SENDING, S.PAUSED}:
            self.attempt(lambda c: replace(c, status=S.DONE))

    @invariant()
    def only_approved_content_is_sent_and_once(self) -> None:
        assert len(self.beginnings) <= 1
        for body in self.beginnings:
            assert body == self.campaign.body
            assert body in self.tested
            assert self.agreed[body] not in self.wrote[body]

    @invariant()
    def a_schedule_stands_only_while_it_is_scheduled(self) -> None:
        if self.campaign.status in {S.DRAFT, S.APPROVED, S.CANCELLED}:
            assert self.campaign.scheduled_for is None


TestLife = Life.TestCase
TestLife.settings = settings(max_examples=150, stateful_step_count=30, deadline=None)
