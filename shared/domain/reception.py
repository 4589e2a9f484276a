"""What is done about a mail that came in: one decision for every mail (manual S2, R1).

``decide`` is pure. The order of its rules is the order of who is believed: what a signed token
says, then what programs say of themselves, then a person's words, as far as the sender is vouched
for. A stop harms nobody who wanted it and can be undone by its victim, so little is asked for it;
data are given out or erased only when the address itself confirms (``Task.ASK_IDENTITY``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from shared.domain.answering import SILENCES, silence
from shared.domain.cases import CaseKind, Task
from shared.domain.inbound import Mailbox, Receipt, ReceivedMail, ReportKind, Verdict
from shared.domain.links import NOBODY, Link
from shared.domain.wishes import REASONS as WISH_REASONS
from shared.domain.wishes import Understanding, Wish


class Outcome(StrEnum):
    """What became of a mail."""

    UNSUBSCRIBED = "unsubscribed"
    CONFIRM_STOP = "confirm_stop"  # the address is held, and asked whether it wrote
    HELD = "held"  # may mean stop: held until CS has read it
    CASE = "case"
    FEEDBACK = "feedback"  # a report about mail of ours
    FILTERED = "filtered"  # nothing is done; staff can look it up


@dataclass(frozen=True, slots=True)
class Known:
    """What was looked up for the mail.

    ``contact_id`` is the keyed hash of the sender's address, ``NOBODY`` where there is none.
    ``token`` is the valid link in the ``stop+`` recipient, ``quoted`` the valid links in the text
    or, for a report, in its returned part.
    """

    contact_id: str
    token: Link | None = None
    quoted: tuple[Link, ...] = ()


@dataclass(frozen=True, slots=True)
class Reception:
    """The decision.

    ``reason`` is a code of ``REASONS``. ``stops``: contacts to unsubscribe now, whatever the
    outcome. ``about``: contacts that a report is about. A case is opened where ``kind`` is set;
    it begins with ``task`` and keeps the address from mailing where it ``holds``, and ``also``
    these contacts, whose mail the writer has got. ``answer``: the system may answer by itself.
    """

    outcome: Outcome
    reason: str
    kind: CaseKind | None = None
    confidence: int = 100
    stops: tuple[Link, ...] = ()
    about: tuple[Link, ...] = ()
    holds: bool = False
    also: tuple[str, ...] = ()
    answer: bool = False
    task: Task = Task.NONE


def decide(
    mail: ReceivedMail,
    receipt: Receipt,
    known: Known,
    understanding: Understanding,
    *,
    mail_domain: str,
) -> Reception:
    """What to do about one mail."""
    program = silence(mail, receipt, mail_domain)
    if mail.report is not None:
        return _of_report(mail.report.kind, known)
    if known.token is not None:
        return _of_token(known, known.token, program, understanding)
    if program in _NAMELESS:
        return _nameless(program)
    if program:
        return Reception(Outcome.FILTERED, program)
    return _of_person(_said(mail, receipt, understanding), receipt, known)


def _of_person(said: Understanding, receipt: Receipt, known: Known) -> Reception:
    """What somebody asks for, as far as it is theirs to ask."""
    if said.wish in _ABOUT_MAIL and known.quoted and not _real(known.quoted):
        return Reception(Outcome.FILTERED, "test_mail")
    stops, vouched = _authority(receipt, known)
    if said.wish is Wish.STOP and stops:
        sender_is_among = known.contact_id in {link.contact_id for link in stops}
        return _stopped(said, stops, answer=sender_is_among)
    if known.contact_id == NOBODY:
        return _nameless("no_sender")
    if said.wish is Wish.STOP:
        return Reception(
            Outcome.CONFIRM_STOP, said.reason, CaseKind.STOP_USE, said.confidence,
            holds=True, answer=True, task=Task.ASK_IDENTITY,
        )  # fmt: skip
    if said.wish is Wish.MAYBE_STOP:
        return Reception(
            Outcome.HELD, said.reason, CaseKind.INQUIRY, said.confidence,
            holds=True, also=_others(known), answer=True, task=Task.ACKNOWLEDGE,
        )  # fmt: skip
    return _case(said, stops, vouched=vouched, others=_others(known))


def is_vouched(receipt: Receipt, known: Known) -> bool:
    """Whether something says that the mail is the sender's."""
    return _authority(receipt, known)[1]


def mailbox_of(receipt: Receipt) -> Mailbox | None:
    """Which of our mailboxes it was written to; of several, the one that says most."""
    written_to = {
        recipient.rpartition("@")[0].partition("+")[0].casefold()
        for recipient in receipt.recipients
    }
    order = (Mailbox.STOP, Mailbox.REQUESTS, Mailbox.REPLY)
    return next((mailbox for mailbox in order if mailbox in written_to), None)


def _of_report(kind: ReportKind, known: Known) -> Reception:
    """A report is believed where the returned part of our mail has a token of ours."""
    fact = _FACTS.get(kind)
    if fact is None:
        return Reception(Outcome.FILTERED, "report")
    if not known.quoted:
        return Reception(Outcome.FILTERED, "unproven_report")
    about = _real(known.quoted)
    if not about:
        return Reception(Outcome.FILTERED, "test_mail")
    return Reception(Outcome.FEEDBACK, fact, about=about)


def _of_token(known: Known, token: Link, program: str, words: Understanding) -> Reception:
    """The token says whom; nobody's From is needed, and no person: mail systems write here too."""
    if program in _NEVER_MEANT:
        return Reception(Outcome.FILTERED, program)
    if token.contact_id == NOBODY:
        return Reception(Outcome.FILTERED, "test_mail")
    if not program and words.wish in _ABOUT_DATA and known.contact_id != NOBODY:
        return _case(words, (token,), vouched=False, stop_at_once=True)
    return _stopped(_STOP_ADDRESS, (token,), answer=False)


def _said(mail: ReceivedMail, receipt: Receipt, words: Understanding) -> Understanding:
    """The words, and what the mailbox adds: ``stop@`` says stop, an unread mail may say it."""
    if mailbox_of(receipt) is Mailbox.STOP:
        if words.wish in _ABOUT_DATA:
            also = tuple(dict.fromkeys((*words.also, Wish.STOP)))
            return Understanding(words.wish, words.confidence, words.reason, also)
        return _STOP_ADDRESS
    if words.wish is Wish.INQUIRY and mail.unread and not mail.words.strip():
        return Understanding(Wish.MAYBE_STOP, 30, "unreadable")
    return words


def _authority(receipt: Receipt, known: Known) -> tuple[tuple[Link, ...], bool]:
    """Whom the mail may stop, and whether the sender is vouched for.

    DMARC vouches for the sender, and so does a link that was mailed to the sender. Any other
    valid link stops its own contact, as clicking it would: mail gets forwarded.
    """
    links = _real(known.quoted)
    own = next((link for link in links if link.contact_id == known.contact_id), None)
    if own is None and receipt.verdicts.dmarc is Verdict.PASS and known.contact_id != NOBODY:
        own = Link(known.contact_id, "")
    others = tuple(link for link in links if link.contact_id != known.contact_id)
    return (others, False) if own is None else ((own, *others), True)


def _real(links: tuple[Link, ...]) -> tuple[Link, ...]:
    """One link for each contact, without those of test mails."""
    by_contact = {link.contact_id: link for link in reversed(links) if link.contact_id != NOBODY}
    return tuple(reversed(by_contact.values()))


def _others(known: Known) -> tuple[str, ...]:
    """Whom the quoted links name beside the sender: mail gets forwarded."""
    return tuple(
        link.contact_id for link in _real(known.quoted) if link.contact_id != known.contact_id
    )


def _stopped(said: Understanding, stops: tuple[Link, ...], *, answer: bool) -> Reception:
    return Reception(
        Outcome.UNSUBSCRIBED,
        said.reason,
        confidence=said.confidence,
        stops=stops,
        answer=answer,
    )


def _nameless(reason: str) -> Reception:
    """Nobody to answer, to hold or to stop; people look at it."""
    return Reception(Outcome.CASE, reason, CaseKind.INQUIRY)


def _case(
    said: Understanding,
    stops: tuple[Link, ...],
    *,
    vouched: bool,
    others: tuple[str, ...] = (),
    stop_at_once: bool = False,
) -> Reception:
    """A request about data, or an inquiry. What else the mail asks for is honoured with it.

    Who moves to another address and wants no mail may mean the old one only: that is held.
    """
    wishes = {said.wish, *said.also}
    stop_at_once = stop_at_once or (
        bool(wishes & {Wish.STOP, Wish.STOP_USE}) and said.wish is not Wish.CORRECTION
    )
    task = Task.ACKNOWLEDGE if said.wish is Wish.INQUIRY else Task.ASK_IDENTITY
    if said.wish is Wish.STOP_USE and vouched:
        task = Task.STOP
    holds = bool(wishes & _HOLDING)
    return Reception(
        Outcome.CASE,
        said.reason,
        CaseKind(said.wish.value),
        said.confidence,
        stops=stops if stop_at_once else (),
        holds=holds,
        also=others if holds and not stop_at_once else (),
        answer=True,
        task=task,
    )


_NAMELESS = frozenset({"no_sender", "several_senders"})
# What even a valid token does not make a wish of: a reply written by a program, or by us.
_NEVER_MEANT = frozenset({"auto_reply", "own_mail"})
_ABOUT_MAIL = frozenset({Wish.STOP, Wish.MAYBE_STOP})
_ABOUT_DATA = frozenset({Wish.DISCLOSURE, Wish.CORRECTION, Wish.ERASURE, Wish.STOP_USE})
_HOLDING = frozenset({Wish.STOP, Wish.MAYBE_STOP, Wish.ERASURE, Wish.STOP_USE})
_FACTS = {
    ReportKind.BOUNCE: "bounce_reported",
    ReportKind.SOFT_BOUNCE: "soft_bounce_reported",
    ReportKind.COMPLAINT: "complaint_reported",
}
_STOP_ADDRESS = Understanding(Wish.STOP, 100, "stop_address")

REASONS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        **WISH_REASONS,
        **SILENCES,
        "stop_address": (
            "配信停止専用のアドレスに届いたメールです。",
            "It was sent to the address that unsubscribes.",
        ),
        "unreadable": (
            "本文を読み取れませんでした。配信停止のご希望かもしれません。",
            "The text could not be read: it may mean stop.",
        ),
        "test_mail": (
            "テスト配信のメールについての連絡です。",
            "It is about a test mail, which is nobody's.",
        ),
        "unproven_report": (
            "配信結果の通知ですが、当社のメールについてのものか確認できません。",
            "A report without proof that it is about mail of ours.",
        ),
        "bounce_reported": (
            "メールが届かなかったとの通知です。",
            "A report that mail did not arrive.",
        ),
        "soft_bounce_reported": (
            "メールが一時的に届かなかったとの通知です。",
            "A report that mail did not arrive for now.",
        ),
        "complaint_reported": (
            "迷惑メールとして報告されたとの通知です。",
            "A report that mail was marked as spam.",
        ),
    }
)
