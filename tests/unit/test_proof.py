"""The proof file: one spelling, a hash that verifies, a page that says what the record says."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
import subprocess
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared import pages
from shared.domain import reception
from shared.domain.campaigns import Campaign, CampaignStatus, Entry, Outcome
from shared.domain.cases import Case, CaseKind, CaseState, Step, StepKind
from shared.domain.company import Company
from shared.domain.contact import project
from shared.domain.eligibility import Profile
from shared.domain.events import Event, EventKind, Source
from shared.domain.inbound import Mailbox
from shared.domain.reception import REASONS
from shared.proof.canonical import canonical_json, sha256
from shared.proof.correspondence import (
    MOST_WORDS,
    Arrival,
    Correspondence,
    Earlier,
    Letter,
)
from shared.proof.page import day, proof_page, when
from shared.proof.record import Facts, proof_record
from shared.proof.strings import OUTCOMES, STRINGS
from shared.texts import consent
from shared.texts.consent import Language, TextId, Wording

NOW = datetime(2026, 11, 24, 6, 4, 5, 123000, tzinfo=UTC)
ME = "0f" * 16
COMPANY = Company("空き家活用株式会社", "Akiya Katsuyo Inc.", "東京都港区芝1-2-3", "03-0000-0000")
WORDING = consent.current(TextId.OPTIN_CHECKBOX).wording(Language.JA)
PURPOSE = consent.current(TextId.PURPOSE_OF_USE).wording(Language.JA)
HOSTILE = "<script>alert(1)</script>\"'&{{ 7*7 }}</style>"


def opted_in(**more: Any) -> Event:
    values: dict[str, Any] = {
        "details": {
            "form_id": "sakura-city",
            "municipality": "さくら市",
            "purpose": PURPOSE.ref,
            "purpose_sha256": PURPOSE.sha256,
            "page_url": "https://www.city.sakura.example.jp/akiya",
            "request_id": "request-1",
        },
        "personal": {
            "address": "taro@example.jp",
            "typed": "Taro@example.jp",
            "address_kind": "standard",
            "source_ip": "203.0.113.24",
            "field.name": "佐倉 太郎",
        },
        "wording": WORDING,
        **more,
    }
    at = NOW - timedelta(days=20)
    return Event(ME, "1" * 24, EventKind.OPTED_IN, at, Source.MUNICIPAL_LP, **values)


def later(kind: EventKind, days_ago: float, number: int, **more: Any) -> Event:
    source = more.pop("source", Source.STAFF)
    return Event(ME, f"{number:024x}", kind, NOW - timedelta(days=days_ago), source, **more)


REGISTERED = later(
    EventKind.REGISTERED, 19, 2,
    details={"submission_id": "1" * 24, "operator": "cs-sato"},
    consent_at=NOW - timedelta(days=20),
)  # fmt: skip
UNSUBSCRIBED = later(
    EventKind.UNSUBSCRIBED, 4, 3, source=Source.ONE_CLICK, details={"campaign_id": "5f2b8c0d9e71"}
)
REASON = later(
    EventKind.UNSUBSCRIBE_REASON, 4, 4, source=Source.LINK, details={"reason": "too_many"}
)
ERASED = later(EventKind.ERASED, 1, 5, details={"operator": "it-tanaka"})


def campaign(number: int, days_ago: float, subject: str) -> Campaign:
    at = NOW - timedelta(days=days_ago)
    return Campaign(
        f"{number:012x}", subject, "本文", "cs", at, CampaignStatus.DONE, started_at=at
    )  # fmt: skip


CAMPAIGNS = [
    campaign(1, 30, "登録より前の配信"),
    campaign(2, 10, "空き家活用セミナーのご案内"),
    campaign(3, 3, "冬の相談会のご案内"),
    replace(campaign(4, 2, "下書き"), started_at=None, status=CampaignStatus.DRAFT),
]
ENTRIES = [Entry(f"{2:012x}", ME, Outcome.SENT, NOW - timedelta(days=10), "", "0100019a-ses")]


def facts(*history: Event, **more: Any) -> Facts:
    values: dict[str, Any] = {
        "company": COMPANY,
        "contact": project(ME, history),
        "history": history,
        "campaigns": CAMPAIGNS,
        "entries": ENTRIES,
        "profile": Profile.MANUAL,
        "made_at": NOW,
        "made_by": "cs-sato",
        **more,
    }
    return Facts(**values)


CASE = Case(
    case_id="c5" * 16,
    kind=CaseKind.DISCLOSURE,
    state=CaseState.IN_PROGRESS,
    contact_id=ME,
    language=Language.JA,
    mailbox=Mailbox.REQUESTS,
    opened_at=NOW - timedelta(days=2),
    due_on=date(2026, 12, 4),
    warn_on=date(2026, 12, 2),
    legal_on=date(2026, 12, 22),
    reason="says_disclose",
    confidence=95,
    reply_to="taro.private@example.jp",
    subject="件名は記録に入れない",
    hand_reason="お電話で確認",
    steps=(
        Step(
            NOW - timedelta(days=2),
            StepKind.OPENED,
            "person",
            {"kind": "disclosure", "reason": "says_disclose", "confidence": "95"},
        ),
        Step(NOW - timedelta(days=1), StepKind.NOTED, "cs-sato", {"code": "answer_limit"}),
        Step(NOW - timedelta(hours=1), StepKind.DISCLOSED, "system"),
    ),
)


STORY = (opted_in(), REGISTERED, UNSUBSCRIBED, REASON)


# --- one spelling


def test_canonical_json_is_stable_and_plain() -> None:
    text = canonical_json({"b": [1, True, None], "a": 'あ<\n\x1f"\\/'})
    assert text == '{"a":"あ<\\n\\u001f\\"\\\\/","b":[1,true,null]}'
    assert canonical_json(json.loads(text)) == text


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text("abc_", min_size=1), inner),
    )
)
def test_reading_and_writing_again_gives_the_same_bytes(value: Any) -> None:
    text = canonical_json({"value": value})
    assert canonical_json(dict(reversed(json.loads(text).items()))) == text


@pytest.mark.parametrize("value", [1.5, {"x": {1}}, {"名": "x"}, {1: "x"}, b"x", [NOW]])
def test_what_has_no_single_spelling_is_refused(value: Any) -> None:
    with pytest.raises(TypeError):
        canonical_json({"value": value})


def test_the_same_facts_give_the_same_file_in_any_order_of_reading() -> None:
    one = canonical_json(proof_record(facts(*STORY)))
    other = facts(*reversed(STORY), campaigns=CAMPAIGNS[::-1])
    assert canonical_json(proof_record(other)) == one
    moved = facts(*STORY, made_at=NOW + timedelta(milliseconds=1))
    assert canonical_json(proof_record(moved)) != one


def test_the_hash_is_what_sha256sum_says_of_the_file(tmp_path: Path) -> None:
    text = canonical_json(proof_record(facts(*STORY)))
    file = tmp_path / "proof.json"
    file.write_bytes(text.encode())
    said = subprocess.run(["sha256sum", file], capture_output=True, text=True, check=True)  # noqa: S607
    assert said.stdout.split()[0] == sha256(text)


# --- what the record says


def test_wording_time_source_and_every_event_in_order() -> None:
    record = proof_record(facts(*reversed(STORY)))
    kinds = [event["kind"] for event in record["events"]]
    assert kinds == ["opted_in", "registered", "unsubscribed", "unsubscribe_reason"]
    first = record["events"][0]
    assert first["at"] == "2026-11-04T06:04:05.123Z"
    assert first["source_ja"] == "自治体LP"
    consented, purpose = first["wordings"]
    assert consented["text"] == WORDING.text
    assert consented["sha256"] == hashlib.sha256(WORDING.text.encode()).hexdigest()
    assert (consented["version"], consented["language"]) == (1, "ja")
    assert consented["is_as_published"]
    assert purpose["text"] == PURPOSE.text
    assert record["events"][1]["consent_at"] == first["at"]
    said = {each["name"]: each for each in record["events"][3]["details"]}
    assert said["reason"]["value_ja"] == "メールが多すぎる"


def test_what_the_mail_service_reported_has_words_and_what_staff_wrote_stays() -> None:
    bounced = later(
        EventKind.BOUNCED, 5, 7, source=Source.SES, details={"reason": "unknown_or_filtered"}
    )
    stop = later(EventKind.UNSUBSCRIBED, 4, 8, details={"reason": "permanent"})
    events = proof_record(facts(opted_in(), bounced, stop))["events"]
    assert events[1]["details"][0]["value_ja"] == "宛先不明、または受信拒否の設定"
    assert events[2]["details"][0]["value_ja"] == "permanent"


def test_where_they_live_has_words() -> None:
    stated = later(EventKind.RESIDENCE_STATED, 5, 7, details={"region": "EU"})
    [detail] = proof_record(facts(opted_in(), stated))["events"][1]["details"]
    assert (detail["value"], detail["value_ja"]) == ("EU", "EU・EEA・英国")


def test_a_wording_that_was_never_published_is_told() -> None:
    for wording in (
        Wording(TextId.NOTICE, 99, Language.JA, "別の文言"),
        replace(WORDING, text="書き換えた文言"),
    ):
        found = proof_record(facts(opted_in(wording=wording)))["events"][0]["wordings"][0]
        assert not found["is_as_published"]
    changed = {"purpose": PURPOSE.ref, "purpose_sha256": "0" * 64}
    assert len(proof_record(facts(opted_in(details=changed)))["events"][0]["wordings"]) == 1


def test_the_verdict_with_each_condition() -> None:
    verdict = proof_record(facts(*STORY))["verdict"]
    assert (verdict["eligible"], verdict["reason"]) == (False, "unsubscribed")
    refusal = next(each for each in verdict["conditions"] if each["name"] == "refusal")
    assert refusal["evidence"]["event_id"] == UNSUBSCRIBED.event_id
    assert refusal["sentence_ja"].startswith("配信停止のお申し出")


def test_every_campaign_sent_or_not_and_why() -> None:
    """One from before the first record, and one not started, do not concern the person."""
    sent, passed_by = proof_record(facts(*STORY))["campaigns"]
    assert (sent["finding"], sent["subject"]) == ("sent", "空き家活用セミナーのご案内")
    assert sent["message_id"] == "0100019a-ses"
    assert (passed_by["finding"], passed_by["reason"]) == ("not_eligible", "unsubscribed")
    assert passed_by["reason_ja"] == "配信停止"
    assert "配信停止のお申し出があり" in passed_by["sentence_ja"]


def test_every_request_with_its_steps_and_none_of_its_words() -> None:
    earlier = replace(CASE, case_id="a1" * 16, opened_at=NOW - timedelta(days=9), legal_on=None)
    by_phone = replace(earlier, case_id="b1" * 16, mailbox=None, state=CaseState.DONE)
    made = proof_record(facts(*STORY, cases=[CASE, by_phone, earlier]))
    text = canonical_json(made)
    for unsaid in ("taro.private", "件名は", "お電話で"):
        assert unsaid not in text
    first, second, third = made["requests"]
    assert [each["case_id"][0] for each in made["requests"]] == ["a", "b", "c"]
    assert (first["legal_on"], second["mailbox"], second["state_ja"]) == (None, "", "完了")
    assert second["mailbox_ja"] == "社内での受付"
    assert (third["kind"], third["kind_ja"], third["state_ja"]) == (
        "disclosure",
        "開示",
        "対応中",
    )
    assert (third["due_on"], third["legal_on"]) == ("2026-12-04", "2026-12-22")
    assert [(step["kind"], step["by_ja"]) for step in third["steps"]] == [
        ("opened", "ご本人"),
        ("noted", "cs-sato"),
        ("disclosed", "システム"),
    ]
    said = [(d["name_ja"], d["value_ja"]) for d in third["steps"][0]["details"]]
    assert said == [
        ("確からしさ(%)", "95"),
        ("依頼の種類", "開示"),
        ("理由", REASONS["says_disclose"][0]),
    ]
    [detail] = third["steps"][1]["details"]
    assert detail["value"] == "answer_limit"
    assert "自動の返信の上限" in detail["value_ja"]


def test_retention_counts_from_the_last_mail() -> None:
    kept = proof_record(facts(*STORY))["retention"]
    assert kept["last_sent_on"] == "2026-11-14"
    assert kept["email_act_until"] == "2026-12-14"
    assert kept["keep_until"] == "2029-11-14"
    assert proof_record(facts(*STORY, entries=()))["retention"]["keep_until"] is None


def test_after_an_erasure_nothing_personal_stands_in_it_even_if_it_were_still_kept() -> None:
    history = (*STORY, ERASED)
    made = facts(*history, asked_for="t***@***.jp", cases=[CASE])
    text = canonical_json(proof_record(made)) + proof_page(proof_record(made)).html
    for personal in ("taro@", "Taro", "203.0.113.24", "佐倉"):
        assert personal not in text
    record = proof_record(made)
    assert record["person"]["address"] == ""
    assert record["person"]["asked_for"] == "t***@***.jp"
    assert record["events"][0]["wordings"][0]["sha256"] == WORDING.sha256
    assert record["verdict"]["reason"] == "no_address"
    unnamed = proof_record(facts(*history))["person"]
    assert unnamed["note"] != record["person"]["note"]


def test_who_comes_back_after_an_erasure_is_shown_again() -> None:
    back = replace(opted_in(), event_id="6" * 24, at=NOW - timedelta(hours=1))
    record = proof_record(facts(opted_in(), ERASED, back))
    assert record["person"]["address"] == "taro@example.jp"
    assert record["events"][0]["personal"] == []
    assert record["events"][2]["personal"]


# --- what the person alone gets


def letter(text: str, days_ago: float = 2, **more: Any) -> Letter:
    values: dict[str, Any] = {
        "case_id": CASE.case_id,
        "direction": "in",
        "by": "",
        "subject": "件名",
        "attachments": 0,
    }
    return Letter(at=NOW - timedelta(days=days_ago), words=text, **values | more)


def test_mails_in_order_and_what_came_beside_them() -> None:
    made = Correspondence(
        [letter("承知しました", 1, direction="out", by="it-tanaka"), letter("お願いします", 2)],
        [Arrival(NOW, "", ""), Arrival(NOW - timedelta(days=1), Mailbox.STOP, "unsubscribed")],
        [Earlier("ab" * 16, [UNSUBSCRIBED, opted_in()])],
    )
    record = proof_record(facts(*STORY, correspondence=made))
    part = record["correspondence"]
    assert [mail["words"] for mail in part["mails"]] == ["お願いします", "承知しました"]
    assert [(each["outcome"], each["outcome_ja"]) for each in part["received"]] == [
        ("unsubscribed", "配信を停止"),
        ("", "処理中"),
    ]
    assert part["received"][1]["mailbox_ja"] == "宛先を読み取れないメール"
    [earlier] = part["moved_from"]
    assert [event["kind"] for event in earlier["events"]] == ["opted_in", "unsubscribed"]
    page = html.unescape(re.sub(r"<[^>]+>", "", proof_page(record).html))
    for said in ("お願いします", "承知しました", "it-tanaka", "ab" * 16, "メモは含みません"):
        assert said in page
    assert "correspondence" not in proof_record(facts(*STORY))


def test_a_file_without_mails_says_so_and_one_without_words_too() -> None:
    page = proof_page(proof_record(facts(*STORY, correspondence=Correspondence()))).html
    assert STRINGS["no_mails"].ja in page
    made = Correspondence([letter("", subject="", attachments=1)])
    page = proof_page(proof_record(facts(*STORY, correspondence=made))).html
    for said in ("no_subject", "no_words", "attachments"):
        assert STRINGS[said].ja in page


def test_no_words_from_before_an_erasure() -> None:
    made = Correspondence([letter("前の言葉", 2), letter("後の言葉", 0.5)])
    mails = proof_record(facts(*STORY, ERASED, correspondence=made))["correspondence"]["mails"]
    assert [(m["subject"], m["words"], m["shortened"]) for m in mails] == [
        ("", "", False),
        ("件名", "後の言葉", False),
    ]


@given(st.lists(st.integers(0, 40_000), max_size=60))
def test_all_mails_fit_and_only_the_longest_are_shortened(lengths: list[int]) -> None:
    made = Correspondence([letter("あ" * length, n) for n, length in enumerate(lengths)])
    mails = proof_record(facts(correspondence=made))["correspondence"]["mails"]
    kept = [len(mail["words"]) for mail in reversed(mails)]
    assert sum(kept) <= MOST_WORDS
    if sum(lengths) <= MOST_WORDS:
        assert kept == lengths
    whole = [length for length, is_kept in zip(lengths, kept, strict=True) if length == is_kept]
    assert all(length >= max(whole, default=0) for length in lengths if length not in whole)
    assert [mail["shortened"] for mail in reversed(mails)] == [
        length > is_kept for length, is_kept in zip(lengths, kept, strict=True)
    ]


def test_the_page_says_what_was_shortened() -> None:
    made = Correspondence([letter("あ" * (MOST_WORDS + 1))])
    assert STRINGS["shortened"].ja in proof_page(proof_record(facts(correspondence=made))).html


def test_every_outcome_has_its_words() -> None:
    assert OUTCOMES.keys() == {"", *reception.Outcome}


# --- the page


def test_the_page_says_what_the_record_says_and_carries_its_bytes() -> None:
    record = proof_record(facts(*STORY, cases=[CASE]))
    page = proof_page(record).html
    text = html.unescape(re.sub(r"<[^>]+>", "", page))
    digest = sha256(canonical_json(record))
    assert page.count(digest) >= 3  # in the head, in the foot, and on every printed sheet
    for said in (
        "taro@example.jp", "Taro@example.jp", WORDING.text, WORDING.sha256, PURPOSE.text,
        "2026年11月4日(水) 15:04:05", "アドバイザーが確認し、配信リストに登録",
        "空き家活用セミナーのご案内", "2029年11月14日", "cs-sato", "佐倉 太郎", COMPANY.address,
        *(each["sentence_ja"] for each in record["verdict"]["conditions"]),
        *(each["sentence_ja"] for each in record["campaigns"]),
        *(each["sentence_en"] for each in record["campaigns"]),
        *(step["kind_ja"] for step in record["requests"][0]["steps"]),
        CASE.case_id, "2026年12月4日", "2026年12月22日", REASONS["says_disclose"][0],
    ):  # fmt: skip
        assert said in text, said
    inside = re.search(r'href="data:application/json;base64,([^"]+)"', page)
    assert inside
    assert hashlib.sha256(base64.b64decode(inside[1])).hexdigest() == digest


def test_the_page_is_one_file_under_its_own_policy() -> None:
    page, policy = proof_page(proof_record(facts(*STORY)))
    assert "<script" not in page
    assert " style=" not in page
    assert not re.search(r'(?:src|srcset)=|<link|@import|url\(|href="(?!#|data:)', page)
    css = re.search(r"<style>(.*?)</style>", page, re.DOTALL)
    assert css
    digest = base64.b64encode(hashlib.sha256(css[1].encode()).digest()).decode()
    assert policy.startswith(f"default-src 'none'; style-src 'sha256-{digest}'")
    stated = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', page)
    assert stated
    assert html.unescape(stated[1]) == policy


def test_hostile_texts_stay_texts() -> None:
    hostile = opted_in(
        details={"municipality": HOSTILE, "form_id": HOSTILE, HOSTILE: HOSTILE},
        personal={"address": HOSTILE, "typed": HOSTILE, "address_kind": HOSTILE},
        wording=replace(WORDING, text=HOSTILE),
    )
    record = proof_record(
        facts(
            hostile,
            company=Company(HOSTILE, HOSTILE, HOSTILE, HOSTILE),
            made_by=HOSTILE,
            asked_for=HOSTILE,
            correspondence=Correspondence(
                [letter(HOSTILE, subject=HOSTILE, by=HOSTILE, case_id=HOSTILE)],
                [Arrival(NOW, HOSTILE, HOSTILE)],
                [Earlier(HOSTILE, [])],
            ),
            cases=[replace(CASE, case_id=HOSTILE, steps=(replace(CASE.steps[0], by=HOSTILE),))],
            campaigns=[campaign(2, 10, HOSTILE)],
            entries=[replace(ENTRIES[0], outcome=Outcome.REJECTED, reason=HOSTILE)],
        )
    )
    page = proof_page(record).html
    assert "<script" not in page
    assert page.count("</style>") == 1
    assert "{{ 7*7 }}" in page
    assert page.count(html.escape("<script>alert(1)</script>")) >= 8


def test_a_page_without_mail_and_under_the_statute() -> None:
    made = facts(opted_in(), entries=(), campaigns=(), profile=Profile.STATUTE)
    page = proof_page(proof_record(made)).html
    assert STRINGS["no_campaigns"].ja in page
    assert STRINGS["no_term"].ja in page
    assert STRINGS["no_requests"].ja in page
    assert STRINGS["profile_statute"].ja in page


def test_times_and_days_are_japans() -> None:
    assert "2027年1月1日(金) 00:00:00" in when("2026-12-31T15:00:00.000Z")
    assert day("2029-02-28") == '<time datetime="2029-02-28">2029年2月28日</time>'


def test_every_sentence_is_used() -> None:
    template = (Path(pages.__file__).parents[1] / "proof/templates/proof.html").read_text("utf-8")
    unused = [
        key
        for key in STRINGS
        if not re.search(rf"\bt\.{key}\b", template) and not key.startswith("profile_")
    ]
    assert not unused
    bare = re.sub(r"\{#.*?#\}", "", template, flags=re.DOTALL)
    assert not re.search(r"[ぁ-んァ-ヶ一-龠]", bare)
