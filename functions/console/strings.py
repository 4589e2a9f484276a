"""The console's Japanese words for what the API names by code."""

from __future__ import annotations

from collections.abc import Mapping

from shared import words
from shared.domain.campaigns import CampaignStatus, PauseReason
from shared.domain.cases import ERASED_MEANWHILE, CaseKind, StepKind, Task
from shared.domain.events import EventKind
from shared.domain.figures import Fate
from shared.domain.forms import FormKind
from shared.domain.teams import Team
from shared.mail.variables import VARIABLES as _VARIABLES
from shared.words import Words


def _japanese(table: Mapping[str, Words]) -> Mapping[str, str]:
    return {code: each.ja for code, each in table.items()}


EVENTS = _japanese(words.EVENTS)
SOURCES = _japanese(words.SOURCES)
ADDRESS_KINDS = _japanese(words.ADDRESS_KINDS)
CONDITIONS = _japanese(words.CONDITIONS)
REASONS = _japanese(words.REASONS)
UNSUBSCRIBE_REASONS = _japanese(words.UNSUBSCRIBE_REASONS)
OUTCOMES = _japanese(words.OUTCOMES)
TEXTS = _japanese(words.TEXTS)
LANGUAGES = _japanese(words.LANGUAGES)
FINDINGS = _japanese(words.FINDINGS)
REPORTED_REASONS = _japanese(words.REPORTED_REASONS)
DETAILS = _japanese(words.DETAILS)
REQUEST_KINDS = _japanese(words.CASE_KINDS)
REQUEST_STATES = _japanese(words.CASE_STATES)
MAILBOXES = _japanese(words.MAILBOXES)
REGIONS = _japanese(words.REGIONS)

# How an event looks in the time line.
TONES: Mapping[str, str] = {
    EventKind.REGISTERED: "good",
    EventKind.PHONE_ACCEPTED: "good",
    EventKind.IN_PERSON_ACCEPTED: "good",
    EventKind.RESUBSCRIBED: "good",
    EventKind.PHONE_REFUSED: "bad",
    EventKind.IN_PERSON_REFUSED: "bad",
    EventKind.UNSUBSCRIBED: "bad",
    EventKind.COMPLAINED: "bad",
    EventKind.BOUNCED: "bad",
    EventKind.ERASED: "bad",
}

# How the person told us to stop; the API's Channel.
CHANNELS: Mapping[str, str] = {
    "phone": "電話",
    "in_person": "対面",
    "reply": "メールの返信",
    "staff": "その他(社内での判断)",
}

STATUSES: Mapping[str, str] = {
    CampaignStatus.DRAFT: "下書き",
    CampaignStatus.APPROVED: "承認済み",
    CampaignStatus.SCHEDULED: "予約済み",
    CampaignStatus.SENDING: "送信中",
    CampaignStatus.PAUSED: "一時停止中",
    CampaignStatus.CANCELLED: "中止",
    CampaignStatus.DONE: "送信完了",
}

# A campaign's life, in order.
STEPS: Mapping[str, str] = {
    "draft": "下書き",
    "test": "テスト送信",
    "approve": "承認",
    "start": "予約・送信",
    "end": "完了",
}

PAUSE_REASONS: Mapping[str, str] = {
    PauseReason.STAFF: "担当者が止めました。",
    PauseReason.REPUTATION: "不達(5%超)または迷惑メールの報告(0.1%超)が多いため、"
    "自動で止まりました。再開する前に、宛先と内容を見直してください。",
    PauseReason.ACCOUNT: "メール配信サービスが送信を受け付けないため、自動で止まりました。"
    "IT の担当者に確認を依頼してください。",
}

# What was heard of a campaign's mails afterwards; the API's ``received``.
RECEIVED: Mapping[str, str] = {
    Fate.DELIVERED: "届いた",
    Fate.SOFT_BOUNCED: "一時的に届かなかった",
    Fate.BOUNCED: "不達(宛先不明など)",
    Fate.COMPLAINED: "迷惑メールの報告",
    "unsubscribed": "このメールから配信停止",
}

# What a finding of the linter is about.
FIELDS: Mapping[str, str] = {
    "subject": "件名",
    "body": "本文",
    "text": "テキスト版",
    "company": "会社の情報",
    "sender": "差出人",
    "audience": "送る相手",
}

# What may stand in double braces.
VARIABLES: Mapping[str, str] = {name: each.ja for name, each in _VARIABLES.items()}

FORM_KINDS: Mapping[str, str] = {
    FormKind.MUNICIPAL_LP: "自治体LP(チェックボックスあり)",
    FormKind.WEB_FORM: "自治体LP以外のフォーム(案内を表示)",
}

TEAMS: Mapping[str, str] = {Team.CS: "CS", Team.GS: "GS", Team.IT: "IT"}

# What a person may say, for whoever has to choose the kind.
REQUEST_HINTS: Mapping[str, str] = {
    CaseKind.DISCLOSURE: "自分の情報として何を持っているか、知りたい",
    CaseKind.CORRECTION: "メールアドレスを変えたい、内容を直してほしい",
    CaseKind.ERASURE: "自分の情報を消してほしい",
    CaseKind.STOP_USE: "自分の情報を使わないでほしい",
    CaseKind.INQUIRY: "そのほかのご質問やご連絡",
}

# What the system is about to do.
TASKS: Mapping[str, str] = {
    Task.ACKNOWLEDGE: "受け付けたことをご本人にメールで知らせます。",
    Task.ASK_IDENTITY: "ご本人のアドレスに、確認のリンクをメールで送ります。",
    Task.STOP: "利用を停止して、ご本人に知らせます。",
    Task.DISCLOSE: "記録を受け取るリンクを、ご本人にメールで送ります。",
    Task.VERIFY_NEW_ADDRESS: "新しいアドレスに、確認のリンクをメールで送ります。",
    Task.CORRECT: "新しいアドレスに変更して、ご本人に知らせます。",
    Task.ERASE: "個人情報を削除して、ご本人に知らせます。",
    Task.TELL_REFUSED: "お断りの理由を、ご本人にメールで知らせます。",
    Task.TELL_DONE: "完了したことを、ご本人にメールで知らせます。",
}

# Refusals that nobody wrote.
REFUSALS: Mapping[str, str] = {
    ERASED_MEANWHILE: "ほかの依頼で、この方の情報を削除したため",
}

# How a step of a request looks in its history.
STEP_TONES: Mapping[str, str] = {
    StepKind.IDENTITY_CONFIRMED: "good",
    StepKind.HAND_VERIFIED: "good",
    StepKind.NEW_ADDRESS_CONFIRMED: "good",
    StepKind.FETCHED: "good",
    StepKind.STOPPED: "good",
    StepKind.CORRECTED: "good",
    StepKind.ERASED: "good",
    StepKind.DONE: "good",
    StepKind.IDENTITY_EXPIRED: "bad",
    StepKind.LINK_EXPIRED: "bad",
    StepKind.WARNED: "bad",
    StepKind.OVERDUE: "bad",
    StepKind.REFUSED: "bad",
}

# What of a message could not be read; the codes of ``shared.inbox``.
UNREAD: Mapping[str, str] = {
    "too_large": "メールが大きすぎるため、途中までしか読んでいません。",
    "headers_cut": "ヘッダーが長すぎるため、途中までしか読んでいません。",
    "text_cut": "文章が長すぎるため、途中までしか読んでいません。",
    "charset": "読めない文字がありました。",
    "encoding": "データが壊れているか、知らない形式のため、読めない部分がありました。",
    "broken_mime": "メールの構造が壊れているため、読めない部分がありました。",
    "too_deep": "転送などが何重にも重なっているため、奥の部分は読んでいません。",
    "too_many_parts": "部分の数が多すぎるため、残りは読んでいません。",
    "encrypted": "暗号化されているため、読めませんでした。",
    "signed": "電子署名に包まれた文章は、取り出していません。",
    "signature": "電子署名が付いています。署名が正しいかは確かめていません。",
    "tnef": "Outlook の独自形式(winmail.dat)の部分は読んでいません。",
    "no_text": "添付ファイルだけで、文章がありませんでした。",
}

# Those that tell the story; the others are evidence and stand in a fold.
TOLD = ("municipality", "form_id", "operator", "reason", "campaign_id", "region", "basis")
