"""From posted fields to the one fact they prove (A1, A2, A4, A6)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.domain.contact import project
from shared.domain.eligibility import Profile, judge
from shared.domain.errors import FieldProblem, Unprocessable
from shared.domain.events import Event, EventKind, Source, stamp
from shared.domain.forms import ExtraField, Form, FormKind
from shared.domain.intake import (
    LIKELY_TYPO,
    RequestEvidence,
    Submission,
    SubmissionStatus,
    ask_about_typo,
    read_submission,
    submission_event,
)
from shared.texts import consent

NOW = datetime(2026, 12, 1, 3, tzinfo=UTC)
KEY = b"k" * 32
EXTRA = (
    ExtraField("name", "お名前", "Name", required=True, max_length=5),
    ExtraField("memo", "ご相談", "Memo"),
)
CITY = Form("city-a", FormKind.MUNICIPAL_LP, "A市", "City A", 1, 1, municipality="A市")
PLAIN = Form("contact", FormKind.WEB_FORM, "お問い合わせ", "Contact", 1, 1, fields=EXTRA)
EVIDENCE = RequestEvidence("req-1", NOW, "192.0.2.1", "Mozilla/5.0 " + "x" * 400)


def read(form: Form = CITY, /, referer: str = "", **fields: str) -> Submission:
    return read_submission(form, {"email": "taro@example.jp", **fields}, referer=referer, now=NOW)


def problems(form: Form = CITY, **fields: str) -> Mapping[str, FieldProblem]:
    with pytest.raises(Unprocessable) as refused:
        read(form, **fields)
    for problem in refused.value.fields.values():
        assert problem.ja
        assert problem.en
    return refused.value.fields


def record(submission: Submission) -> Event:
    return submission_event(submission, EVIDENCE, KEY)


@pytest.mark.parametrize("answer", ["on", "true", "1", "yes", " ON ", "True"])
def test_ticked(answer: str) -> None:
    """A1, A2: stored as ticked; it joins no list before an advisor confirms (A3)."""
    event = record(read(opt_in=answer))
    assert event.kind is EventKind.OPTED_IN
    assert event.source is Source.MUNICIPAL_LP
    verdict = judge(project(event.contact_id, [event]), Profile.MANUAL)
    assert verdict.reason == "opt_in_unconfirmed"


@pytest.mark.parametrize("fields", [{}, {"opt_in": ""}, {"opt_in": "off"}, {"opt_in": "false"},
                                    {"opt_in": "0"}, {"opt_in": "No"}])  # fmt: skip
def test_not_ticked_is_stored_too(fields: dict[str, str]) -> None:
    """A1: the form posts whether ticked or not. A2: "not ticked" is a record."""
    submission = read(CITY, **fields)
    assert submission.status is SubmissionStatus.NOT_OPTED_IN
    event = record(submission)
    assert event.kind is EventKind.BOX_LEFT_UNTICKED
    assert not judge(project(event.contact_id, [event]), Profile.MANUAL).eligible


@pytest.mark.parametrize("answer", ["maybe", "on,on", "2", "はい", "\0"])
def test_neither_ticked_nor_not(answer: str) -> None:
    assert problems(opt_in=answer)["opt_in"].code == "not_a_choice"


def test_another_form_gives_notice_whatever_is_posted() -> None:
    """A4: no checkbox; a posted ``opt_in`` makes no consent of it."""
    for fields in ({}, {"opt_in": "on"}, {"opt_in": "nonsense"}):
        submission = read(PLAIN, name="山田", **fields)
        assert submission.status is SubmissionStatus.NOTIFIED
        event = record(submission)
        assert (event.kind, event.source) == (EventKind.NOTIFIED, Source.WEB_FORM)
        assert judge(project(event.contact_id, [event]), Profile.MANUAL).eligible
        assert not judge(project(event.contact_id, [event]), Profile.STATUTE).eligible


def test_evidence() -> None:
    """A2: wording with version and hash, form, municipality, page, time, request evidence."""
    page = "https://www.city-a.example.jp/lp?id=taro#top"
    event = record(read(opt_in="on", page_url=page))
    assert event.wording == consent.by_ref("optin_checkbox/1/ja")
    purpose = consent.by_ref("purpose_of_use/1/ja")
    assert purpose is not None
    assert event.details == {
        "form_id": "city-a",
        "municipality": "A市",
        "purpose": purpose.ref,
        "purpose_sha256": purpose.sha256,
        "page_url": "https://www.city-a.example.jp/lp",
        "request_id": "req-1",
    }
    assert event.at == NOW
    assert event.personal["source_ip"] == "192.0.2.1"
    assert len(event.personal["user_agent"]) == 300


def test_what_erasure_removes_is_apart_from_what_proves() -> None:
    """Erasure: details stay, so nothing personal may be in them; the id is a keyed hash."""
    event = record(read(PLAIN, email=" ＴＡＲＯ＠Example.JP ", name="山田", memo="秘密"))
    assert event.personal["address"] == "TARO@example.jp"
    assert event.personal["typed"] == " ＴＡＲＯ＠Example.JP "
    assert event.personal["field.name"] == "山田"
    assert event.personal["field.memo"] == "秘密"
    kept = repr((event.contact_id, event.event_id, event.details)).lower()
    for secret in ("taro", "山田", "秘密", "192.0.2.1", "mozilla"):
        assert secret not in kept
    assert event.contact_id == record(read(email="taro@example.jp")).contact_id
    assert len(event.contact_id) == 32


def test_a_retry_is_the_same_fact() -> None:
    submission = read(opt_in="on")
    assert record(submission) == record(submission)
    other = RequestEvidence("req-2", NOW, "192.0.2.1", "")
    assert submission_event(submission, other, KEY).event_id != record(submission).event_id


@pytest.mark.parametrize("email", ["", "   ", "　", "\n"])
def test_no_address(email: str) -> None:
    assert problems(email=email)["email"].code == "required"


def test_address_absent() -> None:
    with pytest.raises(Unprocessable) as refused:
        read_submission(CITY, {}, referer="", now=NOW)
    assert refused.value.fields["email"].code == "required"


def test_malformed_address_with_its_correction() -> None:
    problem = problems(email="taro@docomo.ne.j")["email"]
    assert problem.suggestion == "taro@docomo.ne.jp"
    assert "taro" not in problem.ja


def test_a_likely_slip_is_asked_about_once() -> None:
    """The address is valid, so sending it again confirms it; another one is asked about anew."""
    slip = {"email": "taro@gmial.com"}
    with pytest.raises(Unprocessable) as asked:
        ask_about_typo(read(CITY, **slip), slip)
    problem = asked.value.fields["email"]
    assert (problem.code, problem.suggestion) == (LIKELY_TYPO, "taro@gmail.com")
    ask_about_typo(read(CITY, **slip), {**slip, "confirmed_email": slip["email"]})
    with pytest.raises(Unprocessable):
        ask_about_typo(read(CITY, **slip), {**slip, "confirmed_email": "taro@gmali.com"})
    ask_about_typo(read(), {"email": "taro@example.jp"})


@pytest.mark.parametrize("email", ["a\0b@example.jp", "x" * 1_000_000 + "@example.jp", "a@b@c.jp",
                                   "\ud800@example.jp"])  # fmt: skip
def test_bad_addresses_are_the_fields_fault(email: str) -> None:
    assert set(problems(email=email)) == {"email"}


def test_old_mobile_addresses_are_kept_and_marked() -> None:
    event = record(read(email="a..b@docomo.ne.jp", opt_in="on"))
    assert event.personal["address"] == "a..b@docomo.ne.jp"
    assert event.personal["address_kind"] == "legacy_carrier"


def test_wording_shown() -> None:
    """A2: the page names the wording it showed; without a name it is the form's own."""
    assert read(lang="en").wording.ref == "optin_checkbox/1/en"
    assert read(lang="fr").wording.ref == "optin_checkbox/1/ja"
    assert read(PLAIN, name="x").wording.ref == "notice/1/ja"
    assert read(wording="optin_checkbox/1/en").wording.ref == "optin_checkbox/1/en"
    event = record(read(wording="optin_checkbox/1/en"))
    assert event.details["purpose"] == "purpose_of_use/1/en"


@pytest.mark.parametrize("ref", ["notice/1/ja", "optin_checkbox/9/ja", "x", "optin_checkbox/1"])
def test_a_wording_that_was_never_this_forms(ref: str) -> None:
    """A1, A6: no intake on the strength of another wording, or of none."""
    assert problems(wording=ref)["wording"].code == "unknown_wording"


def test_declared_fields() -> None:
    submission = read(PLAIN, name=" 山田 ", memo="", undeclared="x", address="y")
    assert submission.extra == {"name": "山田"}
    assert problems(PLAIN)["name"].code == "required"
    assert problems(PLAIN, name="  ")["name"].code == "required"
    assert "お名前" in problems(PLAIN, name="123456")["name"].ja
    assert problems(PLAIN, name="123456")["name"].code == "too_long"
    assert problems(PLAIN, name="x", memo="x" * 201)["memo"].code == "too_long"


def test_an_undeclared_field_never_reaches_the_record() -> None:
    event = record(read(PLAIN, name="x", source_ip="203.0.113.9", typed="z"))
    assert event.personal["source_ip"] == "192.0.2.1"
    assert event.personal["typed"] == "taro@example.jp"


def test_honeypot() -> None:
    assert problems(website="https://spam.example")["website"].code == "honeypot"
    read(website="")


@pytest.mark.parametrize(
    "rendered",
    [stamp(NOW), stamp(NOW - timedelta(milliseconds=1999)), stamp(NOW + timedelta(hours=1)),
     "yesterday", "2026-12-01T00:00:00", "9" * 10_000, "\0"],
)  # fmt: skip
def test_filled_in_too_fast_or_forged(rendered: str) -> None:
    assert problems(rendered_at=rendered)["rendered_at"].code == "too_fast"


def test_filled_in_by_a_person() -> None:
    read(rendered_at=stamp(NOW - timedelta(seconds=2)))
    read(rendered_at="")
    read()


@pytest.mark.parametrize(
    ("url", "kept"),
    [
        ("https://a.example.jp/lp?email=taro#x", "https://a.example.jp/lp"),
        ("http://a.example.jp", "http://a.example.jp"),
        ("https://taro:pass@a.example.jp/lp", "https://a.example.jp/lp"),
        ("javascript:alert(1)", ""),
        ("/lp", ""),
        ("https:///lp", ""),
        ("https://[::1/lp", ""),
        ("https://a.example.jp/" + "x" * 600, "https://a.example.jp/" + "x" * 479),
        ("", ""),
    ],
)
def test_page(url: str, kept: str) -> None:
    """A2: the page, without its query, which may be personal."""
    assert read(page_url=url).page_url == kept
    assert read(referer=url).page_url == kept


def test_the_page_says_where_it_is_before_the_browser_does() -> None:
    submission = read(page_url="https://a.example.jp/", referer="https://b.example.jp/")
    assert submission.page_url == "https://a.example.jp/"


def test_everything_wrong_is_named_at_once() -> None:
    assert set(problems(email="x", opt_in="?", wording="?", website="?", rendered_at="?")) == {
        "email", "opt_in", "wording", "website", "rendered_at",
    }  # fmt: skip


@settings(deadline=None, print_blob=True, max_examples=300)
@given(
    st.sampled_from([CITY, PLAIN]),
    st.dictionaries(
        st.sampled_from(["email", "opt_in", "lang", "wording", "page_url", "rendered_at",
                         "website", "name", "memo"]),
        st.text(max_size=30)
        | st.sampled_from(["on", "taro@example.jp", "notice/1/ja", stamp(NOW), "https://[", "x"]),
    ),
    st.text(max_size=30),
)  # fmt: skip
def test_any_fields_make_a_fact_or_a_named_problem(
    form: Form, fields: dict[str, str], referer: str
) -> None:
    """Bad input: 422 and nothing else; and never a consent nobody gave."""
    ticked = form is CITY and fields.get("opt_in", "").strip().lower() == "on"
    try:
        submission = read_submission(form, fields, referer=referer, now=NOW)
    except Unprocessable as error:
        problems = error.fields
    else:
        problems = {}
        assert (record(submission).kind is EventKind.OPTED_IN) == ticked
    assert all(problem.ja and problem.en for problem in problems.values())
