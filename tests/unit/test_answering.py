"""Who is answered: people; never programs, lists, bounces or ourselves (RFC 3834)."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from shared.domain.answering import SILENCES, is_token_address, silence
from shared.domain.inbound import Receipt, ReceivedMail, Report, ReportKind, Verdict, Verdicts

DOMAIN = "mail.example.jp"
MAIL = ReceivedMail(
    mail_id="m" * 32,
    message_id="<1@example.com>",
    references="",
    senders=("taro@example.com",),
    subject="Re: ご案内",
    words="停止",
)
RECEIPT = Receipt(
    object_key="inbound/1",
    received_at=datetime(2026, 12, 1, tzinfo=UTC),
    recipients=("reply@mail.example.jp",),
    envelope_sender="taro@example.com",
    verdicts=Verdicts(Verdict.PASS, Verdict.PASS, Verdict.PASS, Verdict.PASS, Verdict.PASS),
)


def signals(**headers: str) -> ReceivedMail:
    return replace(MAIL, signals={name.replace("_", "-"): value for name, value in headers.items()})


@pytest.mark.parametrize(
    "mail",
    [
        MAIL,
        replace(MAIL, subject=""),
        replace(MAIL, subject="Re: 夏の自動応答セミナー"),
        replace(MAIL, subject="自動配信を停止してください"),
        replace(MAIL, subject="自動送信メールの停止"),
        replace(MAIL, subject="自動配信メールは不要です"),
        replace(MAIL, subject="休暇中の配信を止めてください"),
        replace(MAIL, senders=("taro@sub.mail.example.jp",)),
        replace(MAIL, references="<our@mail.example.jp>"),
        signals(auto_submitted="no"),
        signals(auto_submitted=" No (a person)"),
        signals(x_autoreply="no"),
        signals(precedence="first-class"),
        signals(x_auto_response_suppress="All"),
        signals(x_loop="someone@else.example"),
        signals(return_path="<taro@example.com>"),
        signals(content_type="multipart/alternative; boundary=report"),
    ],
)
def test_a_person_is_answered(mail: ReceivedMail) -> None:
    assert silence(mail, RECEIPT, DOMAIN) == ""


@pytest.mark.parametrize(
    ("mail", "code"),
    [
        (replace(MAIL, report=Report(ReportKind.BOUNCE)), "report"),
        (signals(x_optin_loop="1"), "own_mail"),
        (signals(x_loop="OPTIN@mail.example.jp"), "own_mail"),
        (replace(MAIL, senders=("optin@Mail.Example.jp",)), "own_mail"),
        (replace(MAIL, senders=("a@example.com", "optin@mail.example.jp")), "own_mail"),
        (signals(auto_submitted="auto-replied"), "auto_reply"),
        (signals(auto_submitted="Auto-Replied; owner-email=x"), "auto_reply"),
        (signals(auto_submitted="auto-replied (vacation)"), "auto_reply"),
        (signals(x_autoreply="yes"), "auto_reply"),
        (signals(x_autorespond="1"), "auto_reply"),
        (signals(x_autoresponder="1"), "auto_reply"),
        (signals(precedence="auto_reply"), "auto_reply"),
        (
            replace(signals(auto_submitted="auto-generated"), references="<our@mail.example.jp>"),
            "auto_reply",
        ),
        (signals(auto_submitted="auto-generated"), "auto_generated"),
        (signals(auto_submitted="auto-notified"), "auto_generated"),
        (replace(MAIL, senders=("noreply@example.com",)), "auto_generated"),
        (replace(MAIL, senders=("No-Reply@example.com",)), "auto_generated"),
        (replace(MAIL, senders=("do-not-reply+1@example.com",)), "auto_generated"),
        (replace(MAIL, senders=("MAILER-DAEMON@example.com",)), "bounce"),
        (signals(return_path="<>"), "bounce"),
        (signals(x_failed_recipients="a@example.com"), "bounce"),
        (signals(content_type="multipart/report; report-type=delivery-status"), "bounce"),
        (signals(list_id="<l.example.com>"), "mailing_list"),
        (signals(list_unsubscribe="<mailto:x@example.com>"), "mailing_list"),
        (signals(feedback_id="a:b:c:d"), "mailing_list"),
        (signals(precedence="Bulk"), "mailing_list"),
        (signals(precedence="list"), "mailing_list"),
        (signals(precedence="junk"), "mailing_list"),
        (replace(MAIL, senders=()), "no_sender"),
        (replace(MAIL, senders=("a@example.com", "b@example.com")), "several_senders"),
    ],
)
def test_the_rest_is_not(mail: ReceivedMail, code: str) -> None:
    assert silence(mail, RECEIPT, DOMAIN) == code


@pytest.mark.parametrize(
    "subject",
    [
        "自動応答: 夏のセミナー",
        "自動返信",
        "【自動返信】お問い合わせありがとうございます",
        "不在通知: Re: ご案内",
        "不在のお知らせ",
        "不在連絡",
        "Out of Office: Re: 夏のセミナー",
        "Out-of-office reply",
        "Automatic reply: Summer",
        "Auto-Reply: x",
        "autoresponse",
        "Vacation reply",
        "I'm away from the office",
        "休暇のお知らせ",
        "休暇中は返信できません",
        "自動返信を送信しています",
        "自動返信: 配信停止を承りました",
        "自動返信メール: 停止のお知らせ",
    ],
)
def test_subjects_of_programs(subject: str) -> None:
    assert silence(replace(MAIL, subject=subject), RECEIPT, DOMAIN) == "auto_reply"


@pytest.mark.parametrize("verdict", Verdict)
def test_only_a_failed_verdict_silences(verdict: Verdict) -> None:
    failed = verdict is Verdict.FAIL
    spam = replace(RECEIPT, verdicts=Verdicts(spam=verdict))
    virus = replace(RECEIPT, verdicts=Verdicts(virus=verdict))
    forged = replace(RECEIPT, verdicts=Verdicts(spf=verdict, dkim=verdict, dmarc=verdict))
    assert silence(MAIL, spam, DOMAIN) == ("spam" if failed else "")
    assert silence(MAIL, virus, DOMAIN) == ("virus" if failed else "")
    assert silence(MAIL, forged, DOMAIN) == ""


@pytest.mark.parametrize("path", ["", "<>"])
def test_a_null_return_path_is_a_bounce_but_not_at_the_token_address(path: str) -> None:
    null = replace(RECEIPT, envelope_sender=path)
    assert silence(MAIL, null, DOMAIN) == "bounce"
    to_token = replace(null, recipients=("stop+abc@mail.example.jp",))
    assert silence(MAIL, to_token, DOMAIN) == ""


def test_the_token_address() -> None:
    assert is_token_address("Stop+AbC@mail.example.jp")
    assert not is_token_address("stop@mail.example.jp")
    assert not is_token_address("reply+abc@mail.example.jp")


def test_every_silence_has_its_words() -> None:
    for ja, en in SILENCES.values():
        assert re.search(r"[ぁ-んァ-ヶ一-龠]", ja)
        assert en.isascii()
