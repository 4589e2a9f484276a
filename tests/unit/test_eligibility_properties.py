"""For every history of events: the verdict equals the rule said again in words (manual U1).

``naive.py`` says the rule over the plain list of events. Here histories of every kind, source,
order and tie are made, by chance, by a state machine and exhaustively, and both must agree.
How many ran is printed at the end.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from shared.domain.address import AddressKind
from shared.domain.contact import Contact, apply, project
from shared.domain.eligibility import Profile, Verdict, judge
from shared.domain.errors import Conflict
from shared.domain.events import Event, EventKind, Source, stamp
from shared.domain.registration import confirmation
from tests.unit.naive import REFUSALS, YES_IN_PERSON, naive_eligible

START = datetime(2026, 12, 1, tzinfo=UTC)
JST = timezone(timedelta(hours=9))
CONTACTS = ("a" * 32, "b" * 32, "c" * 32)
KINDS = tuple(EventKind)
SOURCES = tuple(Source)
MAY_CARRY_AN_ADDRESS = {
    EventKind.OPTED_IN,
    EventKind.BOX_LEFT_UNTICKED,
    EventKind.NOTIFIED,
    EventKind.PHONE_ACCEPTED,
    EventKind.PHONE_REFUSED,
    EventKind.IN_PERSON_ACCEPTED,
    EventKind.IN_PERSON_REFUSED,
    EventKind.IMPORTED_CONSENT,
    EventKind.IMPORTED_NOTICE,
}
STANDARD, LEGACY = (
    {"address": address, "typed": address, "address_kind": kind.value}
    for address, kind in (
        ("taro@example.jp", AddressKind.STANDARD),
        ("ta..ro@docomo.ne.jp", AddressKind.LEGACY_CARRIER),
    )
)
PROPERTY = settings(deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow])
ran: Counter[str] = Counter()


@pytest.fixture(scope="module", autouse=True)
def _say_how_many_ran(request: pytest.FixtureRequest) -> Iterator[None]:
    yield
    capture = request.config.pluginmanager.getplugin("capturemanager")
    with capture.global_and_fixture_disabled():
        print("\neligibility: " + ", ".join(f"{n:,} {what}" for what, n in ran.items()))


# ---- making histories ----


def make(
    contact_id: str,
    number: int,
    kind: EventKind,
    at: datetime,
    *,
    source: Source = Source.STAFF,
    salt: int = 0,
    personal: Mapping[str, str] | None = None,
    region: str = "EU",
    confirms: Event | None = None,
) -> Event:
    """One event. Its id sorts by ``salt`` first, so that ties fall either way."""
    details = {"region": region} if kind is EventKind.RESIDENCE_STATED else {}
    arrives = kind is EventKind.MOVED and bool(personal) and number % 2 == 0
    if kind is EventKind.MOVED:
        details = {"from": CONTACTS[-1]} if arrives else {"to": CONTACTS[-1]}
    if kind in {EventKind.HELD, EventKind.RELEASED} and (hold := number % 3):
        details = {"case_id": str(hold)}
    if confirms:
        details = {"submission_id": confirms.event_id}
    return Event(
        contact_id=contact_id,
        event_id=f"{salt:02x}{number:04x}",
        kind=kind,
        at=at,
        source=source,
        details=details,
        personal=(personal or {}) if kind in MAY_CARRY_AN_ADDRESS or arrives else {},
        consent_at=confirms.at if confirms else None,
    )


Draw = tuple[int, EventKind, Source, int, int, int]
draws: st.SearchStrategy[Draw] = st.tuples(
    st.sampled_from((0, 0, 0, 1, 2)),  # whose
    st.sampled_from(KINDS),
    st.sampled_from(SOURCES),
    st.integers(0, 9_999),  # when, in tenths of a millisecond over a second, or rarely spread
    st.integers(0, 3),  # order within one moment
    st.integers(0, 15),  # everything else
)


def history_of(drawn: Sequence[Draw], *, spread: int) -> list[Event]:
    """The events a list of draws stands for, in the order drawn, whatever their times.

    A registration refers to an opt-in of the same contact, before or after it: the staff API
    makes no other. One that could not is an opt-in instead.
    """
    events: list[Event] = []
    for number, (whose, drawn_kind, source, tenths, salt, rest) in enumerate(drawn):
        contact_id, kind = CONTACTS[whose], drawn_kind
        opt_ins = [e for e in events if e.contact_id == contact_id and e.kind is EventKind.OPTED_IN]
        if kind is EventKind.REGISTERED and not opt_ins:
            kind = EventKind.OPTED_IN
        at = START + timedelta(microseconds=100 * (tenths % spread))
        events.append(
            make(
                contact_id,
                number,
                kind,
                at.astimezone(JST) if rest % 2 else at,
                source=source,
                salt=salt,
                personal=LEGACY if rest == 15 else {} if rest == 14 else STANDARD,
                region=("EU", "EU", "JP", "US")[rest % 4],
                confirms=opt_ins[rest % len(opt_ins)] if kind is EventKind.REGISTERED else None,
            )
        )
    return events


histories = st.builds(
    lambda drawn, spread: history_of(drawn, spread=spread),
    st.lists(draws, min_size=1, max_size=14),
    st.sampled_from((20, 100, 10_000)),  # ties everywhere, often, hardly ever
)


# ---- what must hold ----


def check(contact_id: str, history: Sequence[Event], contact: Contact) -> dict[Profile, Verdict]:
    """Everything that must hold of one contact."""
    verdicts = {profile: judge(contact, profile) for profile in Profile}
    for profile, verdict in verdicts.items():
        expected = naive_eligible(contact_id, history, statute=profile is Profile.STATUTE)
        assert verdict.eligible == expected, (profile, verdict.reason)
        ran["verdicts compared"] += 1
        ran["of them eligible"] += expected
        for condition in verdict.conditions:
            assert condition.reason
            assert condition.clause
            assert condition.ja.endswith("。")
            assert condition.en.endswith(".")
    manual, statute = verdicts[Profile.MANUAL], verdicts[Profile.STATUTE]
    assert manual.eligible or not statute.eligible, "statute allows only what the manual allows"
    assert contact.is_listed or not manual.eligible, "an eligible contact missing from the index"
    return verdicts


def own(history: Sequence[Event], contact_id: str) -> list[Event]:
    return [event for event in history if event.contact_id == contact_id]


@settings(PROPERTY, max_examples=1500)
@given(histories)
def test_verdict_equals_the_rule_in_words(history: list[Event]) -> None:
    """U1: one function decides, and decides what the requirements say."""
    ran["random histories"] += 1
    for contact_id in CONTACTS:
        check(contact_id, history, project(contact_id, own(history, contact_id)))


@settings(PROPERTY, max_examples=300)
@given(histories, st.randoms(use_true_random=False))
def test_projection_depends_neither_on_order_nor_on_repetition(
    history: list[Event], random: Any
) -> None:
    mine = own(history, CONTACTS[0])
    shuffled = mine + random.choices(mine, k=len(mine)) if mine else []
    random.shuffle(shuffled)
    assert project(CONTACTS[0], shuffled) == project(CONTACTS[0], mine)


def after(history: Sequence[Event], *kinds: EventKind, personal: Any = STANDARD) -> list[Event]:
    """Events of these kinds, one by one, each later than the whole history."""
    late = START + timedelta(days=1)
    return [
        make(
            CONTACTS[0], 0x100 + n, kind, late + timedelta(hours=n), personal=personal, region="JP"
        )
        for n, kind in enumerate(kinds)
    ]


NOT_A_YES = tuple(set(KINDS) - YES_IN_PERSON - {EventKind.REGISTERED})


@settings(PROPERTY, max_examples=400)
@given(histories, st.sampled_from(sorted(REFUSALS)), st.lists(st.sampled_from(NOT_A_YES)))
def test_after_a_refusal_nothing_but_an_explicit_yes_restores(
    history: list[Event], refusal: EventKind, later: list[EventKind]
) -> None:
    """Rules 2 and 3, erasure among the refusals: notices and imports never lift it."""
    refused = [*own(history, CONTACTS[0]), *after(history, refusal, *later)]
    # An opt-in that was ticked before the refusal, confirmed after it.
    for opt_in in [e for e in own(history, CONTACTS[0]) if e.kind is EventKind.OPTED_IN]:
        number = len(refused) + 0x200
        at = START + timedelta(days=9)
        refused.append(make(CONTACTS[0], number, EventKind.REGISTERED, at, confirms=opt_in))
        with pytest.raises(Conflict):
            confirmation(
                project(CONTACTS[0], refused[:-1]),
                [e for e in refused if e.kind is not EventKind.REGISTERED],
                opt_in.event_id,
                operator="cs-1",
                now=at,
            )
    contact = project(CONTACTS[0], refused)
    assert not judge(contact, Profile.MANUAL).eligible
    ran["histories refused"] += 1


@settings(PROPERTY, max_examples=300)
@given(histories, st.sampled_from(sorted(YES_IN_PERSON | {EventKind.REGISTERED})))
def test_an_explicit_yes_restores_after_any_history(history: list[Event], yes: EventKind) -> None:
    """Rule 3, the other way: with a mailable address and nothing in the way, yes is enough."""
    released = [EventKind.RELEASED] * 3  # each hold that ``make`` knows
    clear = after(
        history, *released, EventKind.BOUNCE_LIFTED, EventKind.OPTED_IN, EventKind.NOTIFIED
    )
    at = START + timedelta(days=2)
    opt_in = clear[4] if yes is EventKind.REGISTERED else None
    last = make(CONTACTS[0], 0x300, yes, at, personal=STANDARD, confirms=opt_in)
    contact = project(CONTACTS[0], [*own(history, CONTACTS[0]), *clear, last])
    assert judge(contact, Profile.STATUTE).eligible
    assert judge(contact, Profile.MANUAL).eligible
    assert contact.is_listed


def test_every_short_history() -> None:
    """Of every kind: any three facts after an opt-in, any two in one moment after a yes too."""
    letters = [kind for kind in KINDS if kind is not EventKind.UNSUBSCRIBE_REASON]
    opt_in = make(CONTACTS[0], 1, EventKind.OPTED_IN, START, personal=STANDARD)
    yes = make(CONTACTS[0], 2, EventKind.PHONE_ACCEPTED, START)

    def at(position: int, kind: EventKind, step: timedelta) -> Event:
        return make(
            CONTACTS[0],
            3 + position,
            kind,
            START + timedelta(hours=1) + step * position,
            source=Source.WEB_FORM,
            personal=STANDARD,
            confirms=opt_in if kind is EventKind.REGISTERED else None,
        )

    for first, length, step in (
        ([opt_in], 3, timedelta(hours=1)),
        ([opt_in, yes], 2, timedelta(0)),
    ):
        table = [[at(n, kind, step) for kind in letters] for n in range(length)]
        for facts in itertools.product(*table):
            history = [*first, *facts]
            check(CONTACTS[0], history, project(CONTACTS[0], history))
            ran["exhaustive histories"] += 1


class Life(RuleBasedStateMachine):
    """Three contacts, a clock that jumps both ways, real confirmations, repeated deliveries."""

    def __init__(self) -> None:
        super().__init__()
        self.now = START
        self.history: list[Event] = []
        self.contacts = {contact_id: Contact(contact_id) for contact_id in CONTACTS}
        self.touched = CONTACTS[0]

    def record(self, event: Event) -> None:
        self.history.append(event)
        self.contacts[event.contact_id] = apply(self.contacts[event.contact_id], event)
        self.touched = event.contact_id
        ran["events in them"] += 1

    @initialize()
    def begin(self) -> None:
        ran["state machine runs"] += 1

    def happens(self, kind: EventKind, draw: Draw) -> None:
        """The clock jumps, mostly ahead, sometimes not at all or back; then this is recorded."""
        whose, _, source, tenths, salt, rest = draw
        self.now += timedelta(milliseconds=(0, 1, 1, -2, 60_000)[tenths % 5])
        self.record(
            make(
                CONTACTS[whose],
                len(self.history),
                kind,
                self.now,
                source=source,
                salt=salt,
                personal=LEGACY if rest == 15 else {} if rest == 14 else STANDARD,
                region=("EU", "JP")[rest % 2],
            )
        )

    @rule(draw=draws)
    def anything(self, draw: Draw) -> None:
        self.happens(EventKind.OPTED_IN if draw[1] is EventKind.REGISTERED else draw[1], draw)

    @rule(draw=draws)
    def the_box_is_ticked(self, draw: Draw) -> None:
        self.happens(EventKind.OPTED_IN, draw)

    @rule(draw=draws, yes=st.sampled_from(sorted(YES_IN_PERSON)))
    def a_yes(self, draw: Draw, yes: EventKind) -> None:
        self.happens(yes, draw)

    @rule(draw=draws, refusal=st.sampled_from(sorted(REFUSALS)))
    def a_refusal(self, draw: Draw, refusal: EventKind) -> None:
        self.happens(refusal, draw)

    @rule(pick=st.integers(0, 5))
    def an_advisor_confirms(self, pick: int) -> None:
        """A3: refused where the person has said no since; never undoing that."""
        opt_ins = [event for event in self.history if event.kind is EventKind.OPTED_IN]
        if not opt_ins:
            return
        opt_in = opt_ins[pick % len(opt_ins)]
        mine = own(self.history, opt_in.contact_id)
        held = self.contacts[opt_in.contact_id]
        refused_since = any(e.kind in REFUSALS and stamp(e.at) >= stamp(opt_in.at) for e in mine)
        done_before = [e for e in mine if e.details.get("submission_id") == opt_in.event_id]
        try:
            event = confirmation(held, mine, opt_in.event_id, operator="cs-1", now=self.now)
        except Conflict:
            assert refused_since
            assert not done_before
            return
        if done_before:
            assert done_before == [event], "repeating gives the fact already recorded"
        else:
            assert not refused_since
            self.record(event)
        ran["confirmations"] += 1

    @rule(contact_id=st.sampled_from(CONTACTS))
    def everything_arrives_again(self, contact_id: str) -> None:
        """Deliveries repeat, and a rebuild from events gives what is held."""
        mine = own(self.history, contact_id)
        rebuilt = project(contact_id, [*reversed(mine), *mine])
        assert rebuilt == self.contacts[contact_id]

    @invariant()
    def verdicts_are_the_rule(self) -> None:
        check(self.touched, self.history, self.contacts[self.touched])


TestLife = pytest.mark.filterwarnings("default")(Life.TestCase)
TestLife.settings = settings(PROPERTY, max_examples=150, stateful_step_count=30)


def test_the_histories_were_worth_running() -> None:
    """Thousands of cases, and enough of either outcome that agreement means something."""
    if ran["random histories"]:
        assert ran["verdicts compared"] > 10_000
        assert 0.02 < ran["of them eligible"] / ran["verdicts compared"] < 0.98
