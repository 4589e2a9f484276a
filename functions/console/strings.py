"""The console's Japanese words for what the API names by code."""

from __future__ import annotations

from collections.abc import Mapping

from shared.domain.address import AddressKind
from shared.domain.campaigns import CampaignStatus, Outcome
from shared.domain.events import EventKind, Source
from shared.domain.forms import FormKind
from shared.domain.teams import Team
from shared.texts.consent import Language, TextId

EVENTS: Mapping[str, str] = {
    EventKind.OPTED_IN: "配信に同意(チェックあり)",
    EventKind.BOX_LEFT_UNTICKED: "フォーム送信(チェックなし)",
    EventKind.NOTIFIED: "フォーム送信(案内を表示)",
    EventKind.REGISTERED: "アドバイザーが確認し、配信リストに登録",
    EventKind.PHONE_ACCEPTED: "電話で配信に同意",
    EventKind.PHONE_REFUSED: "電話で配信を辞退",
    EventKind.IN_PERSON_ACCEPTED: "対面で配信に同意",
    EventKind.IN_PERSON_REFUSED: "対面で配信を辞退",
    EventKind.IMPORTED_CONSENT: "移行データ(同意の記録あり)",
    EventKind.IMPORTED_NOTICE: "移行データ(案内の記録あり)",
    EventKind.BASIS_RECORDED: "取引関係または書面での通知を記録",
    EventKind.RESIDENCE_STATED: "お住まいの地域を記録",
    EventKind.UNSUBSCRIBED: "配信停止",
    EventKind.UNSUBSCRIBE_REASON: "配信停止の理由を回答",
    EventKind.RESUBSCRIBED: "配信の再開に同意",
    EventKind.COMPLAINED: "迷惑メールとして報告",
    EventKind.BOUNCED: "メール不達(宛先不明)",
    EventKind.BOUNCE_LIFTED: "不達を解除",
    EventKind.HELD: "配信を保留(ご連絡を確認中)",
    EventKind.RELEASED: "保留を解除",
    EventKind.ERASED: "個人情報を削除",
}

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

SOURCES: Mapping[str, str] = {
    Source.MUNICIPAL_LP: "自治体LP",
    Source.WEB_FORM: "Webフォーム",
    Source.IN_PERSON: "対面",
    Source.PHONE: "電話",
    Source.IMPORT: "データ移行",
    Source.LINK: "メール内のリンク",
    Source.ONE_CLICK: "メールソフトの配信停止ボタン",
    Source.REPLY: "メールの返信",
    Source.STAFF: "社内での操作",
    Source.SES: "メール配信サービス",
}

ADDRESS_KINDS: Mapping[str, str] = {
    AddressKind.STANDARD: "通常",
    AddressKind.LEGACY_CARRIER: "古い携帯電話の形式",
}

# How the person told us to stop; the API's Channel.
CHANNELS: Mapping[str, str] = {
    "phone": "電話",
    "in_person": "対面",
    "reply": "メールの返信",
    "staff": "その他(社内での判断)",
}

CONDITIONS: Mapping[str, str] = {
    "address": "アドレスの保有",
    "permission": "同意またはご案内の記録",
    "refusal": "配信停止のお申し出",
    "deliverable": "メールの到達",
    "hold": "確認中のご連絡",
    "overseas": "EU・英国にお住まいの方",
    "statute": "特定電子メール法",
}

# Why a recipient was skipped (the verdict's reason) or refused (SES's code).
REASONS: Mapping[str, str] = {
    "no_address": "アドレスをお預かりしていない",
    "opt_in_unconfirmed": "アドバイザーの確認待ち",
    "box_left_unticked": "配信希望のチェックなし",
    "no_permission": "同意もご案内の記録もない",
    EventKind.UNSUBSCRIBED: "配信停止",
    EventKind.PHONE_REFUSED: "電話で辞退",
    EventKind.IN_PERSON_REFUSED: "対面で辞退",
    EventKind.COMPLAINED: "迷惑メールとして報告",
    EventKind.ERASED: "個人情報を削除済み",
    "bounced": "メール不達(宛先不明)",
    "legacy_address": "古い携帯電話の形式で送れない",
    "held": "ご連絡を確認中のため保留",
    "overseas_no_yes": "EU・英国にお住まいで明示の同意なし",
    "statute_no_consent": "明示の同意なし(特定電子メール法)",
    "MessageRejected": "メール配信サービスが拒否",
    "BadRequestException": "メール配信サービスが拒否(宛先の形式)",
}

# The person's own answer on the unsubscribe page.
UNSUBSCRIBE_REASONS: Mapping[str, str] = {
    "too_many": "メールが多すぎる",
    "not_relevant": "内容が合わない",
    "never_asked": "登録した覚えがない",
    "content": "内容に不満がある",
    "other": "その他",
}

OUTCOMES: Mapping[str, str] = {
    Outcome.SENT: "送信済み",
    Outcome.SKIPPED: "送らなかった(条件を満たさない)",
    Outcome.CLAIMED: "送信中",
    Outcome.RETRY: "再送待ち",
    Outcome.REJECTED: "送れなかった(配信サービスが拒否)",
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

FORM_KINDS: Mapping[str, str] = {
    FormKind.MUNICIPAL_LP: "自治体LP(チェックボックスあり)",
    FormKind.WEB_FORM: "自治体LP以外のフォーム(案内を表示)",
}

TEXTS: Mapping[str, str] = {
    TextId.OPTIN_CHECKBOX: "同意のチェックボックス",
    TextId.NOTICE: "ご案内の通知",
    TextId.PHONE_SCRIPT: "電話での説明",
    TextId.UNSUBSCRIBE_NOTICE: "配信停止の案内",
    TextId.PURPOSE_OF_USE: "利用目的",
}

LANGUAGES: Mapping[str, str] = {Language.JA: "日本語", Language.EN: "英語"}

TEAMS: Mapping[str, str] = {Team.CS: "CS", Team.GS: "GS", Team.IT: "IT"}

# An event's details: what stays after an erasure, then what goes with it.
DETAILS: Mapping[str, str] = {
    "municipality": "自治体",
    "form_id": "フォーム",
    "operator": "担当者",
    "reason": "理由",
    "campaign_id": "一斉メール",
    "region": "地域",
    "basis": "根拠",
    "page_url": "ページ",
    "submission_id": "申込番号",
    "request_id": "受付番号",
    "purpose": "利用目的の文言",
    "purpose_sha256": "利用目的の文言のハッシュ(SHA-256)",
    "address": "アドレス",
    "typed": "入力されたアドレス",
    "address_kind": "アドレスの種類",
    "source_ip": "IPアドレス",
    "user_agent": "ブラウザ",
}

# Those that tell the story; the others are evidence and stand in a fold.
TOLD = ("municipality", "form_id", "operator", "reason", "campaign_id", "region", "basis")
