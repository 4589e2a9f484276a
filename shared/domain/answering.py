"""Whether a person wrote, who may be answered, or a program, which must not be (RFC 3834).

Answering a program makes loops, tells spammers that somebody reads, and lets an out-of-office
reply, which quotes our own words, unsubscribe its owner.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

from shared.domain.inbound import Mailbox, Receipt, ReceivedMail, Verdict

_AUTOMATIC_SUBJECT = re.compile(
    r"\W*(?:(?:自動|オート)(?:応答|返信|送信|配信|リプライ)"
    r"|不在(?:通知|連絡|応答|の(?:お知らせ|連絡|ため))"
    r"|休暇(?:通知|中|のお知らせ)|out[ -]of[ -](?:the[ -])?office|ooo\b"
    r"|auto(?:matic)?[ -]?(?:repl|respon|answer)"
    r"|vacation (?:repl|respon|notice)|(?:i am |i'm )?(?:currently )?away from)"
    # Not a person's wish about it: 自動配信を停止してください, 休暇中の配信は不要です.
    r"(?!(?:の|メール|メルマガ|通知|配信|案内|お知らせ)*[をは]?"
    r"(?:停止|解除|不要|やめ|止め|いりま|要りま|ストップ|送らない))",
    re.IGNORECASE,
)
_REPLY_PROGRAMS = ("x-autoreply", "x-autorespond", "x-autoresponder")
_LIST_HEADERS = ("list-id", "list-unsubscribe", "feedback-id")
_BULK = frozenset({"list", "bulk", "junk"})
_MAILERS = frozenset({"mailer-daemon", "postmaster", "mail-daemon"})
_NOBODY_READS = re.compile(r"(?:no|do-?not|donot)[-_.]?reply(?:\W|$)|noreply")


def silence(mail: ReceivedMail, receipt: Receipt, mail_domain: str) -> str:
    """Why the mail gets no answer: a code of ``SILENCES``; empty where a person wrote.

    A report comes first: what it proves, its token proves, whatever else it looks like.
    ``X-Auto-Response-Suppress`` is no sign: Exchange puts it on what people write, too.
    """
    return next((code for code, applies in _SIGNS if applies(mail, receipt, mail_domain)), "")


def _is_report(mail: ReceivedMail, _receipt: Receipt, _domain: str) -> bool:
    return mail.report is not None


def _has_virus(_mail: ReceivedMail, receipt: Receipt, _domain: str) -> bool:
    return receipt.verdicts.virus is Verdict.FAIL


def _is_spam(_mail: ReceivedMail, receipt: Receipt, _domain: str) -> bool:
    return receipt.verdicts.spam is Verdict.FAIL


def _is_ours(mail: ReceivedMail, _receipt: Receipt, mail_domain: str) -> bool:
    return (
        "x-optin-loop" in mail.signals
        or mail_domain.casefold() in _signal(mail, "x-loop")
        or any(_domain_of(sender) == mail_domain.casefold() for sender in mail.senders)
    )


def _is_auto_reply(mail: ReceivedMail, _receipt: Receipt, _domain: str) -> bool:
    """Exchange calls its out-of-office replies auto-generated; that they answer gives it away."""
    submitted = _submitted(mail)
    return (
        submitted == "auto-replied"
        or (submitted == "auto-generated" and bool(mail.references))
        or any(_signal(mail, name) not in {"", "no"} for name in _REPLY_PROGRAMS)
        or _signal(mail, "precedence") == "auto_reply"
        or _AUTOMATIC_SUBJECT.match(mail.subject) is not None
    )


def _is_bounce(mail: ReceivedMail, receipt: Receipt, _domain: str) -> bool:
    """No one to answer to. Some systems unsubscribe from a null return path: that is no bounce."""
    nobody = not receipt.envelope_sender.strip("<> ") or _signal(mail, "return-path") == "<>"
    return (
        (nobody and not any(map(is_token_address, receipt.recipients)))
        or "x-failed-recipients" in mail.signals
        or _signal(mail, "content-type").startswith("multipart/report")
        or any(_local_of(sender) in _MAILERS for sender in mail.senders)
    )


def _is_auto_generated(mail: ReceivedMail, _receipt: Receipt, _domain: str) -> bool:
    return _submitted(mail) not in {"", "no"} or any(
        _NOBODY_READS.match(_local_of(sender)) for sender in mail.senders
    )


def _is_list_mail(mail: ReceivedMail, _receipt: Receipt, _domain: str) -> bool:
    return _signal(mail, "precedence") in _BULK or any(
        name in mail.signals for name in _LIST_HEADERS
    )


def _has_no_sender(mail: ReceivedMail, _receipt: Receipt, _domain: str) -> bool:
    return not mail.senders


def _has_several_senders(mail: ReceivedMail, _receipt: Receipt, _domain: str) -> bool:
    return len(mail.senders) > 1


def is_token_address(recipient: str) -> bool:
    """``stop+{anything}@``: the address in List-Unsubscribe."""
    return _local_of(recipient).startswith(f"{Mailbox.STOP}+")


def _signal(mail: ReceivedMail, name: str) -> str:
    return mail.signals.get(name, "").strip().casefold()


def _submitted(mail: ReceivedMail) -> str:
    """``Auto-Submitted`` without its parameters and comments (RFC 3834 section 5)."""
    return re.split(r"[;(\s]", _signal(mail, "auto-submitted"), maxsplit=1)[0]


def _local_of(address: str) -> str:
    return address.rpartition("@")[0].casefold()


def _domain_of(address: str) -> str:
    return address.rpartition("@")[2].casefold()


# In this order: the first that applies is the reason.
_SIGNS = (
    ("report", _is_report),
    ("virus", _has_virus),
    ("spam", _is_spam),
    ("own_mail", _is_ours),
    ("auto_reply", _is_auto_reply),
    ("bounce", _is_bounce),
    ("auto_generated", _is_auto_generated),
    ("mailing_list", _is_list_mail),
    ("no_sender", _has_no_sender),
    ("several_senders", _has_several_senders),
)

SILENCES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "report": (
            "配信結果や迷惑メール報告の自動通知です。",
            "A delivery or feedback report.",
        ),
        "virus": ("ウイルスが検出されました。", "A virus was found."),
        "spam": ("迷惑メールと判定されました。", "Judged to be spam."),
        "own_mail": ("当社のシステムが送ったメールです。", "Our own mail came back."),
        "auto_reply": (
            "不在通知などの自動返信です。",
            "An automatic reply, such as out of office.",
        ),
        "bounce": (
            "返信先のない、配信エラーなどの通知です。",
            "A bounce or another notice without a return path.",
        ),
        "auto_generated": (
            "プログラムが自動で送ったメールです。",
            "Sent by a program.",
        ),
        "mailing_list": (
            "メーリングリストまたは一斉配信のメールです。",
            "Mail of a mailing list or a bulk sender.",
        ),
        "no_sender": ("差出人が分かりません。", "The sender cannot be told."),
        "several_senders": (
            "差出人が複数書かれています。",
            "Several senders are named.",
        ),
    }
)
