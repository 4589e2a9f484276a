"""The console's Japanese words for what the API names by code."""

from __future__ import annotations

from collections.abc import Mapping

from shared import words
from shared.domain.campaigns import CampaignStatus, PauseReason
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

# Those that tell the story; the others are evidence and stand in a fold.
TOLD = ("municipality", "form_id", "operator", "reason", "campaign_id", "region", "basis")
