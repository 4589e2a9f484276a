"""May this address receive bulk mail? The one place where that is decided (manual U1).

``judge`` is asked by the sender for each recipient at the moment of sending, and by staff who
want to know why. Default deny: every condition must hold, and each explains itself with the
fact it rests on, the manual's clause and one Japanese sentence that can be read out.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from shared.domain.address import AddressKind
from shared.domain.contact import SOFT_BOUNCES, Contact, Mark, Register
from shared.domain.events import EventKind

# A reason that bounces carry and people are told in other words.
UNKNOWN_OR_FILTERED = "unknown_or_filtered"  # law-and-mail E5


class Profile(StrEnum):
    """How strictly to read the law: the manual's way, or 特定電子メール法 3条 to the letter."""

    MANUAL = "manual"
    STATUTE = "statute"


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition of the rule, with its outcome for one contact.

    ``reason`` is stable and machine-readable; ``clause`` names the manual's clause (or the
    law's article); ``evidence`` is the fact the outcome rests on, where there is one.
    """

    name: str
    met: bool
    reason: str
    clause: str
    ja: str
    en: str
    evidence: Mark | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer for one contact, with every condition in the order of the rule."""

    profile: Profile
    conditions: tuple[Condition, ...]

    @property
    def eligible(self) -> bool:
        """All conditions hold."""
        return all(condition.met for condition in self.conditions)

    @property
    def reason(self) -> str:
        """Why not: the first unmet condition's reason; ``eligible`` where all hold."""
        return next((c.reason for c in self.conditions if not c.met), "eligible")


def judge(contact: Contact, profile: Profile) -> Verdict:
    """Decide for one contact, from what its events left, with the reasons."""
    conditions: tuple[Condition, ...] = (
        _address_is_held(contact),
        _no_refusal_stands(contact),  # first of the reasons given: a refusal always wins
        _permission_stands(contact),
        _address_is_deliverable(contact),
        _nothing_is_undecided(contact),
        _overseas_person_said_yes(contact),
    )
    if profile is Profile.STATUTE:
        conditions += (_statute_is_met(contact),)
    return Verdict(profile, conditions)


def _address_is_held(contact: Contact) -> Condition:
    """There is an address to send to: given, and neither erased nor changed since (manual R1).

    Who changed to another address is not written to at the old one, even if an old list or a
    notice brings it back: only after an explicit yes there, or after changing back.
    """
    mark = contact.get(Register.ADDRESS)
    if left(contact):
        return Condition(
            "address", False, "moved", "R1",
            "ご本人のご依頼により、別のメールアドレスに変更されています。",
            "The person changed to another address.", contact.get(Register.MOVED),
        )  # fmt: skip
    if contact.address:
        return Condition(
            "address", True, "address_held", "A2",
            "メールアドレスをお預かりしています。", "We hold an address.", mark,
        )  # fmt: skip
    return Condition(
        "address", False, "no_address", "R1",
        "メールアドレスはお預かりしていません(削除済み、または未登録です)。",
        "We hold no address (erased or never given).", mark,
    )  # fmt: skip


def left(contact: Contact) -> bool:
    """The person changed to another address, and has not said yes at this one since."""
    moved = contact.get(Register.MOVED)
    yes = contact.get(Register.EXPLICIT_YES)
    return moved is not None and bool(contact.moved_to) and (yes is None or yes.at <= moved.at)


def _permission_stands(contact: Contact) -> Condition:
    """A confirmed opt-in, a yes by phone or in person, a notice, or an equal import (A1-A6)."""
    if yes := contact.explicit_yes:
        clause, ja, en = _YES_WORDS[yes.kind]
        return Condition("permission", True, "explicit_yes", clause, ja, en, yes)
    if notice := contact.get(Register.NOTIFIED):
        return Condition(
            "permission", True, "notified", "A4",
            "取得時に「案内をお送りする場合がある」旨をお伝えしています。",
            "The person was told at acquisition that mail may be sent.", notice,
        )  # fmt: skip
    if opted_in := contact.get(Register.OPTED_IN):
        return Condition(
            "permission", False, "opt_in_unconfirmed", "A3",
            "配信に同意されていますが、アドバイザーの確認がまだ済んでいません。",
            "The box was ticked, but no advisor has confirmed it yet.", opted_in,
        )  # fmt: skip
    if unticked := contact.get(Register.UNTICKED):
        return Condition(
            "permission", False, "box_left_unticked", "A3",
            "自治体LPで、配信希望のチェックが入っていません。",
            "The opt-in box on the municipal form was left unticked.", unticked,
        )  # fmt: skip
    return Condition(
        "permission", False, "no_permission", "A3",
        "配信の同意も、ご案内の通知も記録されていません。",
        "Neither a consent nor a notice is on record.",
    )  # fmt: skip


def _no_refusal_stands(contact: Contact) -> Condition:
    """A refusal wins until a later explicit yes; a notice or an import never lifts it (S1-S4)."""
    refused = contact.get(Register.REFUSED)
    if refused is None:
        return Condition(
            "refusal", True, "never_refused", "S4",
            "配信停止のお申し出はありません。", "There has been no refusal.",
        )  # fmt: skip
    if not refusal_stands(contact):
        return Condition(
            "refusal", True, "yes_after_refusal", "S4",
            "配信停止のあとで、あらためて配信に同意されています。",
            "After the refusal the person said yes again.", contact.get(Register.EXPLICIT_YES),
        )  # fmt: skip
    clause, ja, en = _REFUSAL_WORDS[refused.kind]
    return Condition("refusal", False, refused.kind.value, clause, ja, en, refused)


def refusal_stands(contact: Contact) -> bool:
    """The person refused, and has not said an explicit yes since (manual S4)."""
    refused = contact.get(Register.REFUSED)
    yes = contact.get(Register.EXPLICIT_YES)
    return refused is not None and (yes is None or yes.at <= refused.at)


def _address_is_deliverable(contact: Contact) -> Condition:
    """No standing permanent bounce, and a form of address that can be mailed (law-and-mail E1)."""
    bounced = contact.get(Register.BOUNCED)
    lifted = contact.get(Register.BOUNCE_LIFTED)
    if bounced is not None and (lifted is None or lifted.at <= bounced.at):
        if bounced.values.get("reason") == UNKNOWN_OR_FILTERED:
            ja = "このアドレスにはメールが届きませんでした(宛先不明、または受信拒否の設定)。"
            en = "Mail came back: the mobile carrier knows no such address, or filters our mail."
        else:
            ja = "このアドレスにはメールが届きませんでした(宛先不明)。"
            en = "Mail to this address came back as undeliverable."
        return Condition("deliverable", False, "bounced", "U1", ja, en, bounced)
    if contact.address_kind == AddressKind.LEGACY_CARRIER:
        return Condition(
            "deliverable", False, "legacy_address", "U1",
            "古い携帯電話の形式のアドレスのため、一斉メールを送れません。",
            "The address has an old mobile carrier form that cannot be mailed.",
            contact.get(Register.ADDRESS),
        )  # fmt: skip
    return Condition(
        "deliverable", True, "deliverable", "U1",
        "メールの不達は記録されていません。", "No delivery failure stands.", lifted,
    )  # fmt: skip


def _nothing_is_undecided(contact: Contact) -> Condition:
    """Not held: no message that may mean "stop" waits (S2), mail does not keep bouncing (U1)."""
    holds = contact.holds
    of_cases = [mark for hold, mark in holds.items() if hold != SOFT_BOUNCES]
    if of_cases:
        return Condition(
            "hold", False, "held", "S2",
            "配信停止のご希望かもしれないご連絡を確認中のため、配信を保留しています。",
            "Mailing is on hold while a message that may mean stop is being read.",
            max(of_cases, key=lambda mark: mark.key),
        )  # fmt: skip
    if holds:
        return Condition(
            "hold", False, "held", "U1",
            "メールが続けて届かなかったため、配信を保留しています。",
            "Mailing is on hold because mail repeatedly did not arrive.", holds[SOFT_BOUNCES],
        )  # fmt: skip
    return Condition(
        "hold", True, "not_held", "S2",
        "確認中のご連絡はありません。", "Nothing is waiting for a decision.",
    )  # fmt: skip


def _overseas_person_said_yes(contact: Contact) -> Condition:
    """A person known to be in the EU, EEA or UK needs an explicit yes (manual L1, GDPR 7)."""
    residence = contact.get(Register.RESIDENCE)
    if contact.region != EU:
        return Condition(
            "overseas", True, "not_overseas", "L1",
            "EU・英国にお住まいとの記録はありません。",
            "The person is not known to live in the EU, EEA or UK.", residence,
        )  # fmt: skip
    if yes := contact.explicit_yes:
        return Condition(
            "overseas", True, "overseas_yes", "L1",
            "EU・英国にお住まいですが、明示の同意があります。",
            "The person lives in the EU, EEA or UK and has said yes.", yes,
        )  # fmt: skip
    return Condition(
        "overseas", False, "overseas_no_yes", "L1",
        "EU・英国にお住まいのため、明示の同意がなければ送れません。",
        "The person lives in the EU, EEA or UK: an explicit yes is needed.", residence,
    )  # fmt: skip


def _statute_is_met(contact: Contact) -> Condition:
    """特定電子メール法 3条: a notice alone grants nothing; a yes or an exception must stand."""
    if yes := contact.explicit_yes:
        return Condition(
            "statute", True, "statute_consent", "法3条1項1号",
            "あらかじめ送信に同意されています。", "Prior consent is on record.", yes,
        )  # fmt: skip
    if basis := contact.get(Register.BASIS):
        return Condition(
            "statute", True, "statute_exception", "法3条1項2〜4号",
            "取引関係または書面での通知が記録されています。",
            "A business relationship or a written notification is on record.", basis,
        )  # fmt: skip
    return Condition(
        "statute", False, "statute_no_consent", "法3条1項",
        "通知のみでは送れません(特定電子メール法 3条)。明示の同意が必要です。",
        "A notice alone is not enough (Act on Specified E-mail, art. 3).",
        contact.get(Register.NOTIFIED),
    )  # fmt: skip


EU = "EU"

_YES_WORDS = {
    EventKind.REGISTERED: (
        "A3",
        "配信に同意され、アドバイザーが確認しています。",
        "The box was ticked and an advisor confirmed it.",
    ),
    EventKind.PHONE_ACCEPTED: (
        "A5",
        "お電話で配信に同意されています。",
        "The person said yes on the phone.",
    ),
    EventKind.IN_PERSON_ACCEPTED: (
        "A4",
        "対面で配信に同意されています。",
        "The person said yes in person.",
    ),
    EventKind.RESUBSCRIBED: (
        "S1",
        "配信停止のページで、配信の再開に同意されています。",
        "The person asked on the unsubscribe page to receive mail again.",
    ),
    EventKind.IMPORTED_CONSENT: (
        "A3",
        "移行データに、配信への同意の記録があります。",
        "The imported record carries a consent.",
    ),
}
_REFUSAL_WORDS = {
    EventKind.UNSUBSCRIBED: (
        "S4",
        "配信停止のお申し出があり、そのあとの同意はありません。",
        "The person unsubscribed and has not said yes since.",
    ),
    EventKind.PHONE_REFUSED: (
        "A5",
        "お電話で、案内は不要とのお返事をいただいています。",
        "The person refused on the phone.",
    ),
    EventKind.IN_PERSON_REFUSED: (
        "A4",
        "対面で、案内は不要とのお返事をいただいています。",
        "The person refused in person.",
    ),
    EventKind.COMPLAINED: (
        "S4",
        "迷惑メールとして報告されたため、配信を停止しています。",
        "The person reported a mail as spam.",
    ),
    EventKind.ERASED: (
        "R1",
        "ご依頼により個人情報を削除したため、配信できません。",
        "The person's data were erased at their request.",
    ),
}
