"""Mails in the words of all sorts of people (``wishes.txt``): how many are understood (S2, R1).

They came in lists, each read afresh before the rules were mended by it (the file tells how that
went), so the count below is better than what is to be expected of new mail. What may not happen
is a stop passed over and an inquiry taken for a stop; the rest is counted.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest

from shared.domain.wishes import Wish, understand

# Stops or complaints that are read as an inquiry. Each says too little, or says it too oddly.
KNOWN_MISSES = {
    "またか",
    "こわい",
    "haishin teishi",
    "登録を解きたい",
    "毎日来るのなんとかして",
}
AT_LEAST = 96  # percent, over all lists


@dataclass(frozen=True, slots=True)
class Mail:
    """A line of the file: what was written, and the wishes that are right to read in it."""

    right: tuple[Wish, ...]
    words: str
    subject: str = ""

    @property
    def read(self) -> Wish:
        return understand(self.subject, self.words).wish


def mails() -> list[Mail]:
    text = (Path(__file__).parent / "wishes.txt").read_text("utf-8")
    lines = [line.split("\t") for line in text.splitlines() if line and not line.startswith("#")]
    return [
        Mail(
            tuple(Wish(wish) for wish in wishes.split("|")),
            *(part.replace("\\n", "\n") for part in parts),
        )
        for wishes, *parts in lines
    ]


MAILS = mails()
STOPS = [mail for mail in MAILS if Wish.STOP in mail.right and Wish.INQUIRY not in mail.right]
INQUIRIES = [mail for mail in MAILS if mail.right == (Wish.INQUIRY,)]


def test_the_lists_are_large_and_say_nothing_twice() -> None:
    assert len(MAILS) == len({(mail.words, mail.subject) for mail in MAILS}) >= 1000
    assert {wish for mail in MAILS for wish in mail.right} == set(Wish)


def test_no_stop_is_passed_over() -> None:
    assert {mail.words for mail in STOPS if mail.read is Wish.INQUIRY} == KNOWN_MISSES


@pytest.mark.parametrize("mail", INQUIRIES, ids=lambda mail: mail.words[:20])
def test_no_inquiry_is_a_stop(mail: Mail) -> None:
    assert mail.read is not Wish.STOP


def test_most_are_understood(capsys: pytest.CaptureFixture[str]) -> None:
    wrong = [mail for mail in MAILS if mail.read not in mail.right]
    percent = 100 * (len(MAILS) - len(wrong)) / len(MAILS)
    with capsys.disabled():
        print(f"\n{len(MAILS)} mails, {len(wrong)} misread: {percent:.1f} % understood")
        for (right, read), times in sorted(Counter((m.right[0], m.read) for m in wrong).items()):
            print(f"  {times:3} {right} read as {read}")
    assert percent >= AT_LEAST


def test_a_line_broken_anywhere_hides_few_stops() -> None:
    """Mail programs break lines in the middle of words; English ones only between them."""
    broken = [
        f"{words[:place]}\n{words[place:]}"
        for words in (mail.words for mail in STOPS if mail.read is Wish.STOP and not mail.subject)
        for place in range(1, len(words))
        if not words[place - 1 : place + 1].isascii()
    ]
    hidden = [words for words in broken if understand("", words).wish is Wish.INQUIRY]
    assert len(broken) > 5000
    assert len(hidden) <= len(broken) // 200, hidden


@pytest.mark.parametrize(
    "words",
    ["停止し\nないでください", "退会し\nたくないです", "停止する\nな", "配信停止は希\n望しません"],
)
def test_a_line_broken_before_its_no_is_no_stop(words: str) -> None:
    assert understand("", words).wish is not Wish.STOP
