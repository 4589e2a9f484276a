"""What the proof file says, as one JSON record, complete in itself.

Everything in it is text, whole numbers, booleans, lists and objects; times are UTC to the
millisecond. After an erasure the record proves a consent from kinds, times and wordings alone:
nothing personal from before the erasure stands in it, even if the store still held it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType

from shared import words
from shared.domain.campaigns import Campaign, Entry
from shared.domain.cases import Case, Step
from shared.domain.company import Company
from shared.domain.contact import Contact, Mark
from shared.domain.eligibility import Condition, Profile, Verdict, judge
from shared.domain.events import Event, Source, stamp
from shared.domain.figures import Fate
from shared.domain.reception import REASONS
from shared.domain.recipient import Explanation, Finding, erased_at, explain, received_among
from shared.domain.retention import Retention, retention
from shared.proof.correspondence import Correspondence, correspondence_record
from shared.proof.sentences import sentence
from shared.proof.spelling import Record, both, coded
from shared.texts import consent
from shared.texts.consent import Wording
from shared.words import Words, detail_words, words_of

FORMAT = "optin-proof/1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What a proof file is made of, and who made it.

    ``cases`` are the person's requests: what was asked and done, none of anybody's words.
    ``reported`` is what the mail service reported about each mail, by campaign.
    ``asked_for`` is the address in the question, masked, where the question named one.
    ``correspondence`` is there where the person alone gets the file.
    """

    company: Company
    contact: Contact
    history: Sequence[Event]
    campaigns: Sequence[Campaign]
    entries: Sequence[Entry]
    profile: Profile
    made_at: datetime
    made_by: str
    cases: Sequence[Case] = ()
    reported: Mapping[str, Collection[Fate]] = field(default_factory=lambda: MappingProxyType({}))
    asked_for: str = ""
    correspondence: Correspondence | None = None


def proof_record(facts: Facts) -> Record:
    """The record. The same facts, made by the same person at the same time, give the same."""
    contact, history = facts.contact, sorted(facts.history, key=lambda event: event.key)
    erased = erased_at(history)
    record = {
        "format": FORMAT,
        "about": both(_ABOUT),
        "company": {
            "name": facts.company.name,
            "name_en": facts.company.name_en,
            "address": facts.company.address,
            "contact": facts.company.contact,
        },
        "made": {"at": stamp(facts.made_at), "by": facts.made_by},
        "person": {
            "contact_id": contact.contact_id,
            "address": contact.address,
            "typed": contact.typed,
            "asked_for": facts.asked_for,
            "erased_at": stamp(erased) if erased else None,
            "note": both(_note(facts, erased)),
        },
        "verdict": _verdict(judge(contact, facts.profile)),
        "events": [_event(event, erased) for event in history],
        "campaigns": list(_campaigns(facts, history)),
        "requests": [
            _request(case) for case in sorted(facts.cases, key=lambda c: (c.opened_at, c.case_id))
        ],
        "retention": _retention(retention(facts.entries)),
        "verification": both(VERIFICATION),
    }
    if facts.correspondence is not None:
        record["correspondence"] = correspondence_record(facts.correspondence, erased)
    return record


def _note(facts: Facts, erased: datetime | None) -> Words:
    if facts.contact.address or erased is None:
        return _HELD
    return _ERASED if facts.asked_for else _ERASED_UNNAMED


def _verdict(verdict: Verdict) -> Record:
    return {
        "eligible": verdict.eligible,
        "reason": verdict.reason,
        "profile": str(verdict.profile),
        "conditions": [condition_record(each) for each in verdict.conditions],
    }


def condition_record(condition: Condition) -> Record:
    """One condition, with the sentence to read out and the fact it rests on."""
    return {
        "name": condition.name,
        "name_ja": words_of(condition.name, words.CONDITIONS).ja,
        "name_en": words_of(condition.name, words.CONDITIONS).en,
        "met": condition.met,
        "reason": condition.reason,
        "clause": condition.clause,
        "sentence_ja": condition.ja,
        "sentence_en": condition.en,
        "evidence": _mark(condition.evidence) if condition.evidence else None,
    }


def _mark(mark: Mark) -> Record:
    return {
        "event_id": mark.event_id,
        **coded("kind", mark.kind, words.EVENTS),
        "source": str(mark.source),
        "at": stamp(mark.at),
    }


def _event(event: Event, erased: datetime | None) -> Record:
    personal = event.personal if erased is None or event.at > erased else {}
    return {
        "event_id": event.event_id,
        **coded("kind", event.kind, words.EVENTS),
        "at": stamp(event.at),
        "consent_at": stamp(event.consent_at) if event.consent_at else None,
        **coded("source", event.source, words.SOURCES),
        "details": [_detail(name, value, event) for name, value in sorted(event.details.items())],
        "personal": [_detail(name, value, event) for name, value in sorted(personal.items())],
        "wordings": [_wording(each) for each in _wordings(event)],
    }


def _detail(name: str, value: str, event: Event) -> Record:
    named = detail_words(name)
    told = Words(value, value)
    if name == "reason" and event.source in _REASONS_BY_SOURCE:
        told = words_of(value, _REASONS_BY_SOURCE[event.source])
    elif name == "address_kind":
        told = words_of(value, words.ADDRESS_KINDS)
    elif name == "region":
        told = words_of(value, words.REGIONS)
    return _named(name, named, value, told)


# Elsewhere a reason is what a member of staff wrote.
_REASONS_BY_SOURCE = {
    Source.LINK: words.UNSUBSCRIBE_REASONS,
    Source.SES: words.REPORTED_REASONS,
}


def _wordings(event: Event) -> Iterator[Wording]:
    """What the person was shown or told: the consent or notice, and the purpose of use."""
    if event.wording is not None:
        yield event.wording
    purpose = consent.by_ref(event.details.get("purpose", ""))
    if purpose is not None and purpose.sha256 == event.details.get("purpose_sha256"):
        yield purpose


def _wording(wording: Wording) -> Record:
    published = consent.find(wording.text_id, wording.version)
    return {
        **coded("text_id", wording.text_id, words.TEXTS),
        "version": wording.version,
        "language": str(wording.language),
        "text": wording.text,
        "sha256": wording.sha256,
        "published_on": published.published if published else None,
        "is_as_published": published is not None
        and published.wording(wording.language).sha256 == wording.sha256,
    }


def _campaigns(facts: Facts, history: Sequence[Event]) -> Iterator[Record]:
    """Every campaign since the person was first on record, the oldest first, with its reason."""
    lines = {entry.campaign_id: entry for entry in facts.entries}
    received = received_among(facts.entries)
    for campaign in sorted(facts.campaigns, key=_begin):
        entry = lines.pop(campaign.campaign_id, None)
        explained = explain(
            campaign,
            entry,
            history,
            contact_id=facts.contact.contact_id,
            profile=facts.profile,
            now=facts.made_at,
            reported=facts.reported.get(campaign.campaign_id, ()),
            received=received,
        )
        if entry is not None or (
            campaign.started_at and explained.finding is not Finding.UNKNOWN_THEN
        ):
            yield campaign_record(campaign, entry, explained)


def _begin(campaign: Campaign) -> tuple[datetime, str]:
    return campaign.started_at or campaign.created_at, campaign.campaign_id


def campaign_record(campaign: Campaign, entry: Entry | None, explained: Explanation) -> Record:
    """What became of the person in one campaign."""
    told = sentence(explained)
    return {
        "campaign_id": campaign.campaign_id,
        "subject": campaign.subject,
        "started_at": stamp(campaign.started_at) if campaign.started_at else None,
        **coded("finding", explained.finding, words.FINDINGS),
        "at": stamp(explained.as_of) if explained.as_of else None,
        "reason": explained.reason,
        "reason_ja": words_of(explained.reason, words.REASONS).ja,
        "reason_en": words_of(explained.reason, words.REASONS).en,
        "sentence_ja": told.ja,
        "sentence_en": told.en,
        "message_id": entry.message_id if entry else "",
    }


def _request(case: Case) -> Record:
    """What was asked, when it was due, and every step. What was written stands in the mails."""
    return {
        "case_id": case.case_id,
        **coded("kind", case.kind, words.CASE_KINDS),
        **coded("state", case.state, words.CASE_STATES),
        **coded("mailbox", case.mailbox or "", words.MAILBOXES),
        "opened_at": stamp(case.opened_at),
        "due_on": case.due_on.isoformat(),
        "legal_on": case.legal_on.isoformat() if case.legal_on else None,
        "steps": [step_record(step) for step in case.steps],
    }


def step_record(step: Step) -> Record:
    """One step of a request, with what its codes mean."""
    return {
        "at": stamp(step.at),
        **coded("kind", step.kind, words.CASE_STEPS),
        **coded("by", step.by, words.ACTORS),
        "details": [_step_detail(name, value) for name, value in sorted(step.details.items())],
    }


def _step_detail(name: str, value: str) -> Record:
    if name in {"kind", "from", "to"}:
        told = words_of(value, words.CASE_KINDS)
    elif value in REASONS:
        told = Words(*REASONS[value])
    else:
        told = words_of(value, words.STEP_CODES)
    return _named(name, words_of(name, words.STEP_DETAILS), value, told)


def _named(name: str, named: Words, value: str, told: Words) -> Record:
    return {
        "name": name,
        **both(named, "name_"),
        "value": value,
        **both(told, "value_"),
    }


def _retention(kept: Retention | None) -> Record:
    if kept is None:
        return {
            "last_sent_on": None,
            "email_act_until": None,
            "commerce_act_until": None,
            "keep_until": None,
            **both(_NOTHING_SENT, "note_"),
        }
    return {
        "last_sent_on": kept.last_sent_on.isoformat(),
        "email_act_until": kept.email_act_until.isoformat(),
        "commerce_act_until": kept.commerce_act_until.isoformat(),
        "keep_until": kept.keep_until.isoformat(),
        **both(_KEEP, "note_"),
    }


_ABOUT = Words(
    "このメールアドレスについて当社が保有する、取得・同意・配信停止・一斉メール送信・"
    "開示などのご依頼の記録のすべてです。"
    "特定電子メール法 施行規則 4条の「同意を証する記録」にあたります。",
    "Everything the company has on record about this address: how it was acquired, what was "
    "agreed to, refusals, every bulk mail, and every request to disclose, correct or erase. It is "
    "the record of consent of article 4 of the Ordinance for the Act on Specified E-mail.",
)
_HELD = Words(
    "連絡先IDは、メールアドレスから鍵付きハッシュ(HMAC-SHA256)で計算した値です。",
    "The contact id is a keyed hash (HMAC-SHA256) of the address.",
)
_ERASED = Words(
    "個人情報は削除済みです。この記録は、お示しいただいたメールアドレスから計算した連絡先ID"
    "(鍵付きハッシュ、HMAC-SHA256)のもとに残る、できごとの種類・日時・文言だけで作られています。",
    "The personal data were erased. This record consists of the kinds and times of events and "
    "of wordings alone, kept under the contact id: the keyed hash (HMAC-SHA256) that the "
    "address named in the request gives.",
)
_ERASED_UNNAMED = Words(
    "個人情報は削除済みです。この記録は、連絡先IDのもとに残る、できごとの種類・日時・文言だけで"
    "作られています。特定のメールアドレスのものと示すには、そのアドレスを入力して作成してください。",
    "The personal data were erased. This record consists of the kinds and times of events and "
    "of wordings alone. To prove that it is about a certain address, make it by that address.",
)
_NOTHING_SENT = Words(
    "一斉メールの送信はまだありません。保存期間は、最後の送信の日から数えます。"
    "配信の可能性があるあいだは、この記録を保存します。",
    "No bulk mail has been sent yet. The term runs from the last one sent; the record is kept "
    "while mail may still be sent.",
)
_KEEP = Words(
    "特定電子メール法 施行規則 4条2項(最後の送信から1か月)と、特定商取引法"
    "(送信から3年、適用される場合)のうち、長いほうまで保存します。次の送信があれば、その日から数え直します。",
    "Kept for the longer of one month after the last mail (Ordinance for the Act on Specified "
    "E-mail, art. 4(2)) and three years after it (Act on Specified Commercial Transactions, "
    "where it applies). Each further mail moves the date.",
)
VERIFICATION = Words(
    "この記録の本体は、RFC 8785 で正規化したJSONです。JSON形式のファイルは本体そのもので、"
    "そのSHA-256(例: sha256sum ファイル名)が、証拠ファイルに表示された値と同じなら、"
    "作成時から1文字も変わっていません。印刷した写しは、表示された値を、"
    "作成日時・作成者とともに記録されている操作ログ(proof made)の値と照らし合わせて確かめます。"
    "作成のたびに日時が変わるため、値も変わります。",
    "The record itself is JSON in the canonical form of RFC 8785. The JSON file is exactly "
    "that: if its SHA-256 (sha256sum, for instance) is the value shown, not a letter has changed "
    "since it was made. A printed copy is checked by comparing the value shown with the one in "
    "the access log (proof made), which also names the time and who made it. Each time a file "
    "is made its time differs, and so does the value.",
)
