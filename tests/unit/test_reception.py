"""What is done about each mail: who is believed, and for what (S2, R1)."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain import reception
from shared.domain.answering import SILENCES, silence
from shared.domain.cases import CaseKind, Task
from shared.domain.inbound import (
    Mailbox,
    Receipt,
    ReceivedMail,
    Report,
    ReportKind,
    Verdict,
    Verdicts,
)
from shared.domain.links import NOBODY, Link
from shared.domain.reception import Known, Outcome, Reception, decide, is_vouched, mailbox_of
from shared.domain.wishes import REASONS as WISH_REASONS
from shared.domain.wishes import Understanding, Wish
from tests.unit.test_answering import DOMAIN, MAIL, RECEIPT, signals

ME, OTHER, CAMPAIGN = "a" * 32, "b" * 32, "5f2b8c0d9e71"
MINE, THEIRS, TEST = Link(ME, CAMPAIGN), Link(OTHER, CAMPAIGN), Link(NOBODY, CAMPAIGN)
UNPROVEN = replace(RECEIPT, verdicts=Verdicts(dmarc=Verdict.NONE))
TO_TOKEN = replace(UNPROVEN, recipients=("stop+token@mail.example.jp",))
TO_STOP = replace(UNPROVEN, recipients=("stop@mail.example.jp",))


def says(wish: Wish, *also: Wish) -> Understanding:
    return Understanding(wish, 90, f"says_{wish}", also)


STOP, MAYBE, INQUIRY = says(Wish.STOP), says(Wish.MAYBE_STOP), says(Wish.INQUIRY)
ERASURE, USE = says(Wish.ERASURE), says(Wish.STOP_USE)
DISCLOSURE, CORRECTION = says(Wish.DISCLOSURE), says(Wish.CORRECTION)


def decided(
    words: Understanding,
    receipt: Receipt = RECEIPT,
    mail: ReceivedMail = MAIL,
    *,
    token: Link | None = None,
    quoted: tuple[Link, ...] = (),
    contact_id: str = ME,
) -> Reception:
    known = Known(contact_id, token, quoted)
    return decide(mail, receipt, known, words, mail_domain=DOMAIN)


# --- the token address


@pytest.mark.parametrize(
    "mail",
    [
        MAIL,
        replace(MAIL, senders=()),
        replace(MAIL, senders=("forged@elsewhere.example", "b@example.com")),
        signals(auto_submitted="auto-generated"),
        signals(list_id="x"),
    ],
)
@pytest.mark.parametrize("words", [STOP, INQUIRY, MAYBE])
def test_a_token_unsubscribes_at_once(mail: ReceivedMail, words: Understanding) -> None:
    result = decided(words, TO_TOKEN, mail, token=THEIRS)
    assert result == Reception(Outcome.UNSUBSCRIBED, "stop_address", stops=(THEIRS,))
    assert not result.answer


@pytest.mark.parametrize(
    ("mail", "reason"),
    [
        (signals(auto_submitted="auto-replied"), "auto_reply"),
        (replace(MAIL, subject="不在通知"), "auto_reply"),
        (signals(x_optin_loop="1"), "own_mail"),
    ],
)
def test_an_automatic_reply_to_the_token_does_not(mail: ReceivedMail, reason: str) -> None:
    assert decided(STOP, TO_TOKEN, mail, token=MINE) == Reception(Outcome.FILTERED, reason)


def test_spam_with_a_valid_token_still_stops() -> None:
    spam = replace(TO_TOKEN, verdicts=Verdicts(spam=Verdict.FAIL))
    assert decided(STOP, spam, token=MINE).stops == (MINE,)


def test_a_request_about_data_at_the_token_address_is_a_case_and_a_stop() -> None:
    result = decided(DISCLOSURE, TO_TOKEN, token=THEIRS)
    assert (result.outcome, result.kind) == (Outcome.CASE, CaseKind.DISCLOSURE)
    assert (result.stops, result.task) == ((THEIRS,), Task.ASK_IDENTITY)
    use = decided(USE, TO_TOKEN, token=THEIRS)
    assert (use.stops, use.task) == ((THEIRS,), Task.ASK_IDENTITY)
    nameless = decided(DISCLOSURE, TO_TOKEN, token=THEIRS, contact_id=NOBODY)
    assert (nameless.outcome, nameless.stops) == (Outcome.UNSUBSCRIBED, (THEIRS,))


def test_the_token_of_a_test_mail_is_nobodys() -> None:
    assert decided(STOP, TO_TOKEN, token=TEST) == Reception(Outcome.FILTERED, "test_mail")


# --- the stop address without a token: it means stop, but proves nobody


@pytest.mark.parametrize("words", [STOP, MAYBE, INQUIRY])
@pytest.mark.parametrize("receipt", [TO_STOP, TO_TOKEN])
def test_the_stop_address_says_stop(words: Understanding, receipt: Receipt) -> None:
    asked = decided(words, receipt)
    assert (asked.outcome, asked.reason) == (Outcome.CONFIRM_STOP, "stop_address")
    proven = decided(words, replace(receipt, verdicts=RECEIPT.verdicts))
    assert (proven.outcome, proven.stops) == (Outcome.UNSUBSCRIBED, (Link(ME, ""),))


def test_words_about_data_count_there_too() -> None:
    result = decided(ERASURE, replace(TO_STOP, verdicts=RECEIPT.verdicts))
    assert (result.outcome, result.kind) == (Outcome.CASE, CaseKind.ERASURE)
    assert result.stops == (Link(ME, ""),)


@pytest.mark.parametrize(
    ("recipients", "mailbox"),
    [
        (("reply@mail.example.jp",), Mailbox.REPLY),
        (("Optin+x@mail.example.jp", "reply@mail.example.jp"), Mailbox.REQUESTS),
        (("reply@mail.example.jp", "STOP+x@mail.example.jp"), Mailbox.STOP),
        (("info@mail.example.jp",), None),
        ((), None),
    ],
)
def test_mailboxes(recipients: tuple[str, ...], mailbox: Mailbox | None) -> None:
    assert mailbox_of(replace(RECEIPT, recipients=recipients)) is mailbox


# --- words that mean stop


@pytest.mark.parametrize(
    ("receipt", "quoted", "stops", "answer"),
    [
        (RECEIPT, (), (Link(ME, ""),), True),
        (RECEIPT, (MINE,), (MINE,), True),
        (RECEIPT, (THEIRS, MINE), (MINE, THEIRS), True),
        (RECEIPT, (THEIRS,), (Link(ME, ""), THEIRS), True),
        (RECEIPT, (THEIRS, TEST, THEIRS), (Link(ME, ""), THEIRS), True),
        (UNPROVEN, (MINE,), (MINE,), True),
        (UNPROVEN, (MINE, THEIRS), (MINE, THEIRS), True),
        (UNPROVEN, (THEIRS,), (THEIRS,), False),
    ],
)
def test_stop_with_authority(
    receipt: Receipt, quoted: tuple[Link, ...], stops: tuple[Link, ...], answer: bool
) -> None:
    result = decided(STOP, receipt, quoted=quoted)
    assert result == Reception(
        Outcome.UNSUBSCRIBED, "says_stop", confidence=90, stops=stops, answer=answer
    )


@pytest.mark.parametrize("verdict", [v for v in Verdict if v is not Verdict.PASS])
def test_stop_by_whoever_it_is_is_confirmed_first(verdict: Verdict) -> None:
    receipt = replace(RECEIPT, verdicts=Verdicts(dmarc=verdict, spf=Verdict.PASS))
    assert decided(STOP, receipt) == Reception(
        Outcome.CONFIRM_STOP, "says_stop", CaseKind.STOP_USE, 90,
        holds=True, answer=True, task=Task.ASK_IDENTITY,
    )  # fmt: skip


def test_who_is_vouched_for() -> None:
    assert is_vouched(RECEIPT, Known(ME))
    assert is_vouched(UNPROVEN, Known(ME, quoted=(THEIRS, MINE)))
    assert not is_vouched(UNPROVEN, Known(ME, quoted=(THEIRS,)))
    assert not is_vouched(RECEIPT, Known(NOBODY))


@pytest.mark.parametrize("receipt", [RECEIPT, UNPROVEN])
def test_maybe_stop_holds_and_is_told(receipt: Receipt) -> None:
    assert decided(MAYBE, receipt, quoted=(MINE, THEIRS, TEST, THEIRS)) == Reception(
        Outcome.HELD, "says_maybe_stop", CaseKind.INQUIRY, 90,
        holds=True, also=(OTHER,), answer=True, task=Task.ACKNOWLEDGE,
    )  # fmt: skip


@pytest.mark.parametrize("words", [STOP, MAYBE])
def test_stop_about_a_test_mail_stops_nobody(words: Understanding) -> None:
    assert decided(words, quoted=(TEST, TEST)) == Reception(Outcome.FILTERED, "test_mail")


def test_other_words_about_a_test_mail_are_a_case() -> None:
    assert decided(INQUIRY, quoted=(TEST,)).outcome is Outcome.CASE


def test_an_unreadable_mail_may_mean_stop() -> None:
    unread = replace(MAIL, words=" \n", unread=("encrypted",))
    assert decided(INQUIRY, mail=unread).reason == "unreadable"
    assert decided(INQUIRY, mail=unread).outcome is Outcome.HELD
    assert decided(INQUIRY, mail=replace(unread, words="質問")).outcome is Outcome.CASE
    assert decided(INQUIRY, mail=replace(unread, unread=())).outcome is Outcome.CASE


# --- requests about data


@pytest.mark.parametrize("receipt", [RECEIPT, UNPROVEN])
@pytest.mark.parametrize(
    ("words", "kind", "holds"),
    [
        (DISCLOSURE, CaseKind.DISCLOSURE, False),
        (CORRECTION, CaseKind.CORRECTION, False),
        (ERASURE, CaseKind.ERASURE, True),
        (says(Wish.DISCLOSURE, Wish.MAYBE_STOP), CaseKind.DISCLOSURE, True),
        (says(Wish.DISCLOSURE, Wish.ERASURE), CaseKind.DISCLOSURE, True),
        (says(Wish.CORRECTION, Wish.STOP), CaseKind.CORRECTION, True),
    ],
)
def test_data_are_never_touched_on_a_mails_word(
    receipt: Receipt, words: Understanding, kind: CaseKind, holds: bool
) -> None:
    assert decided(words, receipt, quoted=(MINE,)) == Reception(
        Outcome.CASE, words.reason, kind, 90, holds=holds, answer=True, task=Task.ASK_IDENTITY
    )


@pytest.mark.parametrize("receipt", [RECEIPT, UNPROVEN])
def test_what_holds_the_writer_holds_whom_the_quoted_link_names(receipt: Receipt) -> None:
    """A mailbox that is forwarded: the writer reads the mail of both addresses."""
    for words in (ERASURE, says(Wish.CORRECTION, Wish.STOP), says(Wish.INQUIRY, Wish.MAYBE_STOP)):
        result = decided(words, receipt, quoted=(THEIRS, MINE))
        assert (result.holds, result.also, result.stops) == (True, (OTHER,), ())
    assert decided(DISCLOSURE, receipt, quoted=(THEIRS,)).also == ()


def test_a_stop_said_beside_is_done_at_once() -> None:
    words = says(Wish.ERASURE, Wish.STOP)
    assert decided(words).stops == (Link(ME, ""),)
    assert decided(words, UNPROVEN).stops == ()
    assert decided(words, UNPROVEN).holds
    assert decided(words, UNPROVEN, quoted=(THEIRS,)).stops == (THEIRS,)


def test_stop_use_is_a_stop_that_leaves_a_case() -> None:
    vouched = decided(USE)
    assert (vouched.outcome, vouched.kind) == (Outcome.CASE, CaseKind.STOP_USE)
    assert (vouched.stops, vouched.holds, vouched.task) == ((Link(ME, ""),), True, Task.STOP)
    forged = decided(USE, UNPROVEN)
    assert (forged.stops, forged.holds, forged.task) == ((), True, Task.ASK_IDENTITY)


def test_anything_else_is_an_inquiry() -> None:
    assert decided(INQUIRY) == Reception(
        Outcome.CASE, "says_inquiry", CaseKind.INQUIRY, 90, answer=True, task=Task.ACKNOWLEDGE
    )


# --- mail without a person, or without a name


@pytest.mark.parametrize(
    ("mail", "reason"),
    [
        (replace(MAIL, senders=()), "no_sender"),
        (replace(MAIL, senders=("a@example.com", "b@example.com")), "several_senders"),
    ],
)
@pytest.mark.parametrize("words", [STOP, DISCLOSURE, INQUIRY])
def test_mail_of_nobody_is_looked_at(mail: ReceivedMail, reason: str, words: Understanding) -> None:
    result = decided(words, mail=mail, quoted=(MINE,))
    assert result == Reception(Outcome.CASE, reason, CaseKind.INQUIRY)


@pytest.mark.parametrize("words", [STOP, MAYBE, ERASURE, INQUIRY])
def test_a_sender_whose_address_cannot_be_is_nobody(words: Understanding) -> None:
    result = decided(words, contact_id=NOBODY)
    assert result == Reception(Outcome.CASE, "no_sender", CaseKind.INQUIRY)


def test_such_a_sender_may_still_quote_a_link() -> None:
    result = decided(STOP, contact_id=NOBODY, quoted=(THEIRS,))
    assert (result.outcome, result.stops, result.answer) == (
        Outcome.UNSUBSCRIBED, (THEIRS,), False,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("mail", "receipt", "reason"),
    [
        (signals(auto_submitted="auto-replied"), RECEIPT, "auto_reply"),
        (signals(auto_submitted="auto-generated"), RECEIPT, "auto_generated"),
        (signals(list_id="x"), RECEIPT, "mailing_list"),
        (MAIL, replace(RECEIPT, envelope_sender=""), "bounce"),
        (MAIL, replace(RECEIPT, verdicts=Verdicts(spam=Verdict.FAIL)), "spam"),
        (MAIL, replace(RECEIPT, verdicts=Verdicts(virus=Verdict.FAIL)), "virus"),
    ],
)
def test_programs_are_filtered(mail: ReceivedMail, receipt: Receipt, reason: str) -> None:
    result = decided(STOP, receipt, mail, quoted=(MINE,))
    assert result == Reception(Outcome.FILTERED, reason)


# --- reports


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        (ReportKind.BOUNCE, "bounce_reported"),
        (ReportKind.SOFT_BOUNCE, "soft_bounce_reported"),
        (ReportKind.COMPLAINT, "complaint_reported"),
    ],
)
def test_a_report_counts_with_a_token(kind: ReportKind, reason: str) -> None:
    mail = replace(MAIL, report=Report(kind), senders=("mailer-daemon@example.com",))
    spam = replace(RECEIPT, verdicts=Verdicts(spam=Verdict.FAIL))
    proven = decided(STOP, spam, mail, quoted=(THEIRS, TEST, THEIRS))
    assert proven == Reception(Outcome.FEEDBACK, reason, about=(THEIRS,))
    assert decided(STOP, mail=mail) == Reception(Outcome.FILTERED, "unproven_report")
    assert decided(STOP, mail=mail, quoted=(TEST,)) == Reception(Outcome.FILTERED, "test_mail")


@pytest.mark.parametrize("kind", [ReportKind.DELAY, ReportKind.OTHER])
def test_other_reports_say_nothing(kind: ReportKind) -> None:
    mail = replace(MAIL, report=Report(kind))
    assert decided(STOP, mail=mail, quoted=(MINE,)) == Reception(Outcome.FILTERED, "report")


# --- for every mail

VERDICT = st.sampled_from(Verdict)
LINKS = st.sampled_from([MINE, THEIRS, TEST, Link("c" * 32, CAMPAIGN)])
HEADERS = {
    "auto-submitted": st.sampled_from(["no", "auto-replied", "auto-generated"]),
    "precedence": st.sampled_from(["bulk", "list", "auto_reply", "normal"]),
    "x-autoreply": st.just("yes"),
    "x-optin-loop": st.just("1"),
    "list-id": st.just("<x>"),
    "return-path": st.sampled_from(["<>", "<a@example.com>"]),
}
MAILS = st.builds(
    ReceivedMail,
    mail_id=st.just("m"),
    message_id=st.just("<1@x>"),
    references=st.sampled_from(["", "<our@mail.example.jp>"]),
    senders=st.sampled_from(
        [(), ("taro@example.com",), ("a@example.com", "b@example.com"), ("x@mail.example.jp",)]
    ),
    subject=st.sampled_from(["停止", "不在通知", "Out of office"]),
    words=st.sampled_from(["", "停止"]),
    report=st.none() | st.builds(Report, st.sampled_from(ReportKind)),
    unread=st.sampled_from([(), ("encrypted",)]),
    signals=st.fixed_dictionaries({}, optional=HEADERS),
)
RECEIPTS = st.builds(
    Receipt,
    object_key=st.just("k"),
    received_at=st.just(RECEIPT.received_at),
    recipients=st.lists(
        st.sampled_from(["reply", "optin", "stop", "stop+x", "info"]).map(f"{{}}@{DOMAIN}".format)
    ).map(tuple),
    envelope_sender=st.sampled_from(["", "taro@example.com"]),
    verdicts=st.builds(Verdicts, VERDICT, VERDICT, VERDICT, VERDICT, VERDICT),
)
KNOWN = st.builds(
    Known,
    st.sampled_from([ME, OTHER, NOBODY]),
    st.none() | LINKS,
    st.lists(LINKS, max_size=4).map(tuple),
)
WORDS = st.builds(
    Understanding,
    st.sampled_from(Wish),
    st.integers(0, 100),
    st.sampled_from(sorted(WISH_REASONS)),
    st.lists(st.sampled_from(Wish), max_size=2).map(tuple),
)


@given(MAILS, RECEIPTS, KNOWN, WORDS)
def test_what_holds_for_every_mail(
    mail: ReceivedMail, receipt: Receipt, known: Known, words: Understanding
) -> None:
    result = decide(mail, receipt, known, words, mail_domain=DOMAIN)
    program = silence(mail, receipt, DOMAIN)
    stopped = {link.contact_id for link in result.stops}
    by_link = {link.contact_id for link in (*known.quoted, known.token) if link is not None}

    assert result.reason in reception.REASONS
    assert NOBODY not in stopped
    assert len(stopped) == len(result.stops)
    # Nothing filtered does anything; nor does a report to the address's list.
    if result.outcome in {Outcome.FILTERED, Outcome.FEEDBACK}:
        assert result == Reception(result.outcome, result.reason, about=result.about)
    # An automatic reply is never a wish.
    if program in {"auto_reply", "own_mail"}:
        assert result.outcome is Outcome.FILTERED
    # Programs have no cases and get no answers.
    if program:
        assert not result.answer
        assert not result.holds
        assert result.kind is None or program in {"no_sender", "several_senders"}
    # Whoever is not vouched for stops only whom a valid link names.
    if receipt.verdicts.dmarc is not Verdict.PASS:
        assert stopped <= by_link
    assert stopped <= by_link | {known.contact_id}
    # Data wait for the address itself, whatever DMARC says.
    if result.kind in {CaseKind.DISCLOSURE, CaseKind.CORRECTION, CaseKind.ERASURE}:
        assert result.task is Task.ASK_IDENTITY
    # Nobody's address is held or answered.
    if known.contact_id == NOBODY:
        assert not result.holds
        assert not result.answer
    # Beside the sender a case holds whom a link names, unless they are stopped at once.
    assert set(result.also) <= by_link - {NOBODY, known.contact_id} - stopped
    assert result.holds or not result.also
    # A wish to stop, said by a person, never ends as nothing; nor for whom a link names.
    stop_said = words.wish in {Wish.STOP, Wish.MAYBE_STOP}
    if stop_said and not program and known.contact_id != NOBODY and result.reason != "test_mail":
        assert result.stops or result.holds
        quoted = {link.contact_id for link in known.quoted} - {NOBODY, known.contact_id}
        assert known.token is not None or quoted <= stopped | set(result.also)


def test_every_reason_has_its_words() -> None:
    assert reception.REASONS.keys() > WISH_REASONS.keys() | SILENCES.keys()
    for ja, en in reception.REASONS.values():
        assert re.search(r"[ぁ-んァ-ヶ一-龠]", ja)
        assert en.isascii()


def test_kinds_of_wishes_are_kinds_of_cases() -> None:
    assert {w.value for w in Wish} >= {k.value for k in CaseKind}
