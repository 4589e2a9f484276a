"""The sentences that answer "did this person get it, and why, or why not?"."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from shared import words
from shared.domain.recipient import Explanation, Finding
from shared.domain.retention import JAPAN
from shared.words import Words, words_of

_WEEKDAYS = "月火水木金土日"


def moment(at: datetime) -> Words:
    """A time in Japan, for people."""
    here = at.astimezone(JAPAN)
    day = f"{here.year}年{here.month}月{here.day}日({_WEEKDAYS[here.weekday()]})"
    return Words(f"{day} {here:%H:%M}", f"{here:%Y-%m-%d %H:%M} JST")


def sentence(explained: Explanation) -> Words:
    """One sentence that staff can read out."""
    ja, en = SENTENCES[explained.finding]
    at = moment(explained.as_of) if explained.as_of else Words("", "")
    why = _why(explained)
    return Words(ja.format(at=at.ja, why=why.ja), en.format(at=at.en, why=why.en))


def _why(explained: Explanation) -> Words:
    """The rule's own sentence where it is the reason; else the reason's short words."""
    for condition in explained.conditions:
        if not condition.met and condition.reason == explained.reason:
            return Words(condition.ja, condition.en)
    short = words_of(explained.reason, words.REASONS)
    return Words(f"{short.ja}。", f"{short.en[:1].upper()}{short.en[1:]}.")


SENTENCES: Mapping[Finding, Words] = {
    Finding.SENT: Words("{at}に送信しました。", "It was sent on {at}."),
    Finding.DELIVERED: Words(
        "{at}に送信し、相手先のメールサーバーに届きました。",
        "It was sent on {at} and delivered to the receiving mail server.",
    ),
    Finding.SOFT_BOUNCED: Words(
        "{at}に送信しましたが、一時的な理由(受信箱がいっぱいなど)で届かなかったと報告されています。",
        "It was sent on {at}, but reported as not delivered for a passing reason (mailbox full or "
        "the like).",
    ),
    Finding.COMPLAINED: Words(
        "{at}に送信して届き、迷惑メールとして報告されました。",
        "It was sent on {at}, arrived, and was reported as spam.",
    ),
    Finding.BOUNCED: Words(
        "{at}に送信しましたが、宛先不明で届きませんでした。",
        "It was sent on {at}, but came back as undeliverable.",
    ),
    Finding.SENDING: Words(
        "{at}から送信中です。送信されたかどうかは、まだ確認できていません。",
        "It has been on its way since {at}; whether it was sent is not confirmed yet.",
    ),
    Finding.RETRY: Words(
        "まだ送信していません。配信サービスが混み合っているため、再送を待っています。",
        "It has not been sent yet: the mail service was busy and it will be sent again.",
    ),
    Finding.SKIPPED: Words(
        "送信していません。{at}の送信の時点で条件を満たしていなかったためです。理由: {why}",
        "It was not sent: at {at}, when it was to be sent, not every condition was met. {why}",
    ),
    Finding.REJECTED: Words(
        "送信できませんでした。{at}に配信サービスが受け付けませんでした。理由: {why}",
        "It could not be sent: the mail service refused it at {at}. {why}",
    ),
    Finding.NOT_STARTED: Words(
        "まだ送信していません。この配信は始まっていません。",
        "It has not been sent: the campaign has not started.",
    ),
    Finding.CANCELLED: Words(
        "送信していません。順番が来る前に、この配信は中止されました。",
        "It was not sent: the campaign was cancelled before.",
    ),
    Finding.WAITING: Words(
        "まだ送信していません。この配信は送信の途中で、順番を待っています。",
        "It has not been sent yet: the campaign is still being sent.",
    ),
    Finding.UNKNOWN_THEN: Words(
        "送信していません。{at}の時点では、このアドレスの記録がありませんでした。",
        "It was not sent: at {at} nothing was on record for this address.",
    ),
    Finding.NOT_ELIGIBLE: Words(
        "送信していません。{at}の時点で配信の条件を満たしていなかったためです。理由: {why}",
        "It was not sent: at {at} not every condition was met. {why}",
    ),
    Finding.OUTSIDE_AUDIENCE: Words(
        "送信していません。{at}の時点で、この配信の対象(絞り込みの条件)に当てはまりませんでした。",
        "It was not sent: at {at} the address was not in the campaign's audience.",
    ),
    Finding.UNEXPLAINED: Words(
        "送信の記録がありません。理由は記録からは分かりません。",
        "There is no record of it being sent, and none that tells why not.",
    ),
}
