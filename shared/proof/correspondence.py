"""What a person wrote and was answered: the part of the record that only they get.

It completes a disclosure (個人情報保護法 33条; GDPR 15). What staff wrote for each other is no
part of it, and the record says so.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from shared import words
from shared.domain.events import Event, stamp
from shared.proof.spelling import Record, both, coded
from shared.proof.strings import DIRECTIONS, OUTCOMES
from shared.words import Words

# Characters of all letters together: the file has to fit into one answer of a Lambda (6 MB).
MOST_WORDS = 250_000
_MAILBOXES = {
    **words.MAILBOXES,
    "": Words("宛先を読み取れないメール", "Mail to no mailbox of ours"),
}


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail of theirs (``in``), or an answer of ours (``out``). ``by``: who of staff wrote it."""

    case_id: str
    at: datetime
    direction: str
    by: str
    subject: str
    words: str
    attachments: int


@dataclass(frozen=True, slots=True)
class Arrival:
    """A mail that belongs to no request, and what became of it."""

    at: datetime
    mailbox: str
    outcome: str


@dataclass(frozen=True, slots=True)
class Earlier:
    """The address they moved here from, until then."""

    contact_id: str
    history: Sequence[Event]


@dataclass(frozen=True, slots=True)
class Correspondence:
    """Everything of the kind."""

    letters: Sequence[Letter] = ()
    arrivals: Sequence[Arrival] = ()
    earlier: Sequence[Earlier] = ()


def correspondence_record(all_of_it: Correspondence, erased: datetime | None) -> Record:
    """As it stands in the record: no words from before an erasure, even if still there."""
    letters = sorted(all_of_it.letters, key=lambda letter: (letter.at, letter.case_id))
    longest = _longest([len(letter.words) for letter in letters])
    return {
        **both(_ABOUT),
        "mails": [_letter(letter, erased, longest) for letter in letters],
        "received": [
            {
                "at": stamp(arrival.at),
                **coded("mailbox", arrival.mailbox, _MAILBOXES),
                **coded("outcome", arrival.outcome, OUTCOMES),
            }
            for arrival in sorted(all_of_it.arrivals, key=lambda arrival: arrival.at)
        ],
        "moved_from": [_earlier(earlier) for earlier in all_of_it.earlier],
    }


def _letter(letter: Letter, erased: datetime | None, longest: int) -> Record:
    kept = erased is None or letter.at > erased
    return {
        "case_id": letter.case_id,
        "at": stamp(letter.at),
        **coded("direction", letter.direction, DIRECTIONS),
        "by": letter.by,
        "subject": letter.subject if kept else "",
        "words": letter.words[:longest] if kept else "",
        "shortened": kept and len(letter.words) > longest,
        "attachments": letter.attachments,
    }


def _earlier(earlier: Earlier) -> Record:
    return {
        "contact_id": earlier.contact_id,
        "events": [
            {
                **coded("kind", event.kind, words.EVENTS),
                "at": stamp(event.at),
                **coded("source", event.source, words.SOURCES),
            }
            for event in sorted(earlier.history, key=lambda event: event.key)
        ],
    }


def _longest(lengths: Collection[int]) -> int:
    """How long each may be so that all fit: whoever sends many long ones shortens only those."""
    left = MOST_WORDS
    for place, length in enumerate(sorted(lengths)):
        share = left // (len(lengths) - place)
        if length > share:
            return share
        left -= length
    return MOST_WORDS


_ABOUT = Words(
    "ご依頼やお問い合わせでお送りいただいたメールと当社からの返信、ご依頼とは別に届いたメールの"
    "日時・宛先・扱い、変更前のメールアドレスの記録です。社内の担当者どうしのメモは含みません。"
    "添付ファイルは件数だけを記載しています。",
    "The mails you wrote with your requests and what we answered; time, mailbox and outcome of "
    "other mails that came from you or concern you; and what is on record for the address you "
    "moved here from. Notes that staff wrote for each other are not part of it. Of attachments "
    "only the number is given.",
)
