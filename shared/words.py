"""What codes are called, Japanese and English side by side: one list for screens and files.

A code is stable and for programs; these words are for people and may be improved at any time.
``tests/unit/test_words.py`` holds that every code has its words.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from shared.domain.address import AddressKind
from shared.domain.campaigns import Outcome
from shared.domain.cases import CaseKind, CaseState, StepKind
from shared.domain.events import EventKind, Source
from shared.domain.inbound import Mailbox
from shared.domain.recipient import Finding
from shared.texts.consent import Language, TextId


class Words(NamedTuple):
    """One thing in both languages."""

    ja: str
    en: str


def words_of(code: str, table: Mapping[str, Words]) -> Words:
    """The words for a code; the code itself where there are none yet."""
    return table.get(code, Words(code, code))


EVENTS: Mapping[str, Words] = {
    EventKind.OPTED_IN: Words("配信に同意(チェックあり)", "Agreed (box ticked)"),
    EventKind.BOX_LEFT_UNTICKED: Words(
        "フォーム送信(チェックなし)", "Form sent (box left unticked)"
    ),
    EventKind.NOTIFIED: Words("フォーム送信(案内を表示)", "Form sent (notice shown)"),
    EventKind.REGISTERED: Words(
        "アドバイザーが確認し、配信リストに登録", "Confirmed by an advisor and put on the list"
    ),
    EventKind.PHONE_ACCEPTED: Words("電話で配信に同意", "Agreed on the phone"),
    EventKind.PHONE_REFUSED: Words("電話で配信を辞退", "Refused on the phone"),
    EventKind.IN_PERSON_ACCEPTED: Words("対面で配信に同意", "Agreed in person"),
    EventKind.IN_PERSON_REFUSED: Words("対面で配信を辞退", "Refused in person"),
    EventKind.IMPORTED_CONSENT: Words(
        "移行データ(同意の記録あり)", "Imported, with a record of consent"
    ),
    EventKind.IMPORTED_NOTICE: Words(
        "移行データ(案内の記録あり)", "Imported, with a record of the notice"
    ),
    EventKind.BASIS_RECORDED: Words(
        "取引関係または書面での通知を記録", "Business relationship or written notice recorded"
    ),
    EventKind.RESIDENCE_STATED: Words("お住まいの地域を記録", "Place of residence recorded"),
    EventKind.UNSUBSCRIBED: Words("配信停止", "Unsubscribed"),
    EventKind.UNSUBSCRIBE_REASON: Words("配信停止の理由を回答", "Gave a reason for unsubscribing"),
    EventKind.RESUBSCRIBED: Words("配信の再開に同意", "Agreed to receive mail again"),
    EventKind.COMPLAINED: Words("迷惑メールとして報告", "Reported a mail as spam"),
    EventKind.BOUNCED: Words("メール不達(宛先不明)", "Mail bounced (permanent)"),
    EventKind.SOFT_BOUNCED: Words("メールが一時的に届かなかった", "Mail did not arrive this time"),
    EventKind.BOUNCE_LIFTED: Words("不達を解除", "Bounce lifted"),
    EventKind.HELD: Words("配信を保留", "Put on hold"),
    EventKind.RELEASED: Words("保留を解除", "Hold released"),
    EventKind.MOVED: Words("メールアドレスを変更", "Address changed"),
    EventKind.ERASED: Words("個人情報を削除", "Personal data erased"),
}

SOURCES: Mapping[str, Words] = {
    Source.MUNICIPAL_LP: Words("自治体LP", "Municipal landing page"),
    Source.WEB_FORM: Words("Webフォーム", "Web form"),
    Source.IN_PERSON: Words("対面", "In person"),
    Source.PHONE: Words("電話", "Phone"),
    Source.IMPORT: Words("データ移行", "Import"),
    Source.LINK: Words("メール内のリンク", "Link in a mail"),
    Source.ONE_CLICK: Words(
        "メールソフトの配信停止ボタン", "Unsubscribe button of the mail program"
    ),
    Source.REPLY: Words("メールの返信", "Reply by mail"),
    Source.STAFF: Words("社内での操作", "Staff"),
    Source.SES: Words("メール配信サービス", "Mail service"),
}

ADDRESS_KINDS: Mapping[str, Words] = {
    AddressKind.STANDARD: Words("通常", "standard"),
    AddressKind.LEGACY_CARRIER: Words("古い携帯電話の形式", "old mobile carrier form"),
}

# Of ``residence_stated``.
REGIONS: Mapping[str, Words] = {
    "EU": Words("EU・EEA・英国", "EU, EEA or UK"),
    "other": Words("EU・EEA・英国の外", "Outside the EU, EEA and UK"),
}

CONDITIONS: Mapping[str, Words] = {
    "address": Words("アドレスの保有", "Address held"),
    "permission": Words("同意またはご案内の記録", "Consent or notice"),
    "refusal": Words("配信停止のお申し出", "No standing refusal"),
    "deliverable": Words("メールの到達", "Deliverable"),
    "hold": Words("確認中のご連絡", "Nothing undecided"),
    "overseas": Words("EU・英国にお住まいの方", "EU, EEA and UK"),
    "statute": Words("特定電子メール法", "Act on Specified E-mail"),
}

# Why a recipient was skipped (the verdict's reason) or refused (SES's code).
REASONS: Mapping[str, Words] = {
    "no_address": Words("アドレスをお預かりしていない", "no address is held"),
    "moved": Words("別のアドレスに変更済み", "changed to another address"),
    "opt_in_unconfirmed": Words("アドバイザーの確認待ち", "not yet confirmed by an advisor"),
    "box_left_unticked": Words("配信希望のチェックなし", "the opt-in box was left unticked"),
    "no_permission": Words("同意もご案内の記録もない", "neither a consent nor a notice on record"),
    EventKind.UNSUBSCRIBED: Words("配信停止", "unsubscribed"),
    EventKind.PHONE_REFUSED: Words("電話で辞退", "refused on the phone"),
    EventKind.IN_PERSON_REFUSED: Words("対面で辞退", "refused in person"),
    EventKind.COMPLAINED: Words("迷惑メールとして報告", "reported as spam"),
    EventKind.ERASED: Words("個人情報を削除済み", "personal data erased"),
    "bounced": Words("メール不達(宛先不明)", "undeliverable"),
    "legacy_address": Words("古い携帯電話の形式で送れない", "old mobile carrier form of address"),
    "held": Words("配信を保留中", "on hold"),
    "frequency_cap": Words("配信回数の上限", "as many campaigns as one person may get lately"),
    "overseas_no_yes": Words(
        "EU・英国にお住まいで明示の同意なし", "in the EU, EEA or UK without an explicit yes"
    ),
    "statute_no_consent": Words(
        "明示の同意なし(特定電子メール法)", "no explicit consent (Act on Specified E-mail)"
    ),
    **dict.fromkeys(
        ("MESSAGE_REJECTED", "MessageRejected", "ses_reject"),
        Words("メール配信サービスが拒否", "refused by the mail service"),
    ),
    **dict.fromkeys(
        ("INVALID_PARAMETER", "BadRequestException"),
        Words(
            "メール配信サービスが拒否(宛先の形式)", "refused by the mail service (form of address)"
        ),
    ),
    "ses_failed": Words(
        "メール配信サービスで繰り返し失敗", "the mail service failed at it again and again"
    ),
    "ses_rendering_failure": Words(
        "メールを作成できなかった", "the mail service could not make the mail"
    ),
}

# What the mail service, or our reading of it, gave as the reason of an event.
REPORTED_REASONS: Mapping[str, Words] = {
    "permanent": Words("宛先不明", "no such address"),
    "unknown_or_filtered": Words(
        "宛先不明、または受信拒否の設定", "no such address, or filtered by the person"
    ),
    "suppressed": Words(
        "以前に届かなかったため、配信サービスが送信を見合わせ", "suppressed: mail bounced before"
    ),
    "soft_bounces": Words("メールが続けて届かなかった", "mail repeatedly did not arrive"),
    "transient": Words("一時的な理由", "a passing reason"),
    "MailboxFull": Words("受信箱がいっぱい", "mailbox full"),
    "General": Words("詳細の報告なし", "no particulars were given"),
    "Undetermined": Words("不明", "undetermined"),
    "abuse": Words("迷惑メールとして報告", "reported as spam"),
    "complaint": Words("迷惑メールとして報告", "reported as spam"),
}

# The person's own answer on the unsubscribe page.
UNSUBSCRIBE_REASONS: Mapping[str, Words] = {
    "too_many": Words("メールが多すぎる", "Too many e-mails"),
    "not_relevant": Words("内容が合わない", "Not relevant to me"),
    "never_asked": Words("登録した覚えがない", "I never asked for them"),
    "content": Words("内容に不満がある", "I do not like the content"),
    "other": Words("その他", "Something else"),
}

OUTCOMES: Mapping[str, Words] = {
    Outcome.SENT: Words("送信済み", "Sent"),
    Outcome.SKIPPED: Words("送らなかった(条件を満たさない)", "Not sent (not eligible)"),
    Outcome.CLAIMED: Words("送信中", "Being sent"),
    Outcome.RETRY: Words("再送待ち", "Waiting to be sent again"),
    Outcome.REJECTED: Words(
        "送れなかった(配信サービスが拒否)", "Not sent (refused by the mail service)"
    ),
}

# What became of one person in one campaign.
FINDINGS: Mapping[str, Words] = {
    Finding.SENT: Words("送信済み", "Sent"),
    Finding.DELIVERED: Words("届いた", "Delivered"),
    Finding.SOFT_BOUNCED: Words(
        "送信したが一時的に届かなかった", "Sent, but not delivered this time"
    ),
    Finding.COMPLAINED: Words("届いた(迷惑メールとして報告)", "Delivered, reported as spam"),
    Finding.BOUNCED: Words("送信したが届かなかった", "Sent, but undeliverable"),
    Finding.SENDING: Words("送信中", "Being sent"),
    Finding.RETRY: Words("再送待ち", "Waiting to be sent again"),
    Finding.SKIPPED: Words("送らなかった(条件を満たさない)", "Not sent (not eligible)"),
    Finding.REJECTED: Words(
        "送れなかった(配信サービスが拒否)", "Not sent (refused by the mail service)"
    ),
    Finding.NOT_STARTED: Words("配信前", "Not started"),
    Finding.CANCELLED: Words("送らなかった(配信中止)", "Not sent (campaign cancelled)"),
    Finding.WAITING: Words("順番待ち", "Still to come"),
    Finding.UNKNOWN_THEN: Words("送らなかった(記録なし)", "Not sent (not on record then)"),
    Finding.NOT_ELIGIBLE: Words("送らなかった(条件を満たさない)", "Not sent (not eligible)"),
    Finding.OUTSIDE_AUDIENCE: Words(
        "送らなかった(配信の対象外)", "Not sent (outside the audience)"
    ),
    Finding.UNEXPLAINED: Words("送信の記録なし", "No record of sending"),
}

CASE_KINDS: Mapping[str, Words] = {
    CaseKind.DISCLOSURE: Words("開示", "Disclosure"),
    CaseKind.CORRECTION: Words("変更・訂正", "Correction"),
    CaseKind.ERASURE: Words("削除", "Erasure"),
    CaseKind.STOP_USE: Words("利用停止", "End of use"),
    CaseKind.INQUIRY: Words("お問い合わせ", "Inquiry"),
}

CASE_STATES: Mapping[str, Words] = {
    CaseState.RECEIVED: Words("受付", "Received"),
    CaseState.IDENTITY_ASKED: Words("ご本人の確認待ち", "Waiting for the person to confirm"),
    CaseState.VERIFIED: Words("ご本人と確認済み", "Identity confirmed"),
    CaseState.IN_PROGRESS: Words("対応中", "In progress"),
    CaseState.DONE: Words("完了", "Done"),
    CaseState.REFUSED: Words("お断り", "Refused"),
}

CASE_STEPS: Mapping[str, Words] = {
    StepKind.OPENED: Words("受付", "Received"),
    StepKind.MAIL_JOINED: Words("続きのメールを受信", "A further mail came in"),
    StepKind.KIND_CHANGED: Words("依頼の種類を変更", "Kind of request changed"),
    StepKind.HELD: Words("配信を保留", "Mailing put on hold"),
    StepKind.RELEASED: Words("配信の保留を解除", "Hold on mailing released"),
    StepKind.ACKNOWLEDGED: Words("受付をお知らせ", "Receipt acknowledged"),
    StepKind.IDENTITY_ASKED: Words("ご本人確認のリンクを送信", "Link to confirm identity sent"),
    StepKind.IDENTITY_EXPIRED: Words("ご本人確認のリンクが期限切れ", "Link to confirm expired"),
    StepKind.IDENTITY_CONFIRMED: Words("リンクでご本人と確認", "Identity confirmed by the link"),
    StepKind.HAND_VERIFICATION_PROPOSED: Words(
        "担当者がご本人と判断(2人目の確認待ち)", "Verified by hand, a second person to agree"
    ),
    StepKind.HAND_VERIFIED: Words(
        "担当者2人でご本人と確認", "Identity verified by two members of staff"
    ),
    StepKind.NEW_ADDRESS_GIVEN: Words("新しいアドレスを登録", "New address given"),
    StepKind.NEW_ADDRESS_ASKED: Words(
        "新しいアドレスへ確認のリンクを送信", "Link to confirm sent to the new address"
    ),
    StepKind.NEW_ADDRESS_CONFIRMED: Words("新しいアドレスを確認", "New address confirmed"),
    StepKind.APPROVED: Words("実施を承認", "Approved"),
    StepKind.LINK_EXPIRED: Words("リンクが使われずに期限切れ", "The link expired unused"),
    StepKind.DISCLOSED: Words("記録のリンクを送信", "Link to the record sent"),
    StepKind.FETCHED: Words("ご本人が記録を受け取り", "The person took the record"),
    StepKind.STOPPED: Words("利用を停止", "Use ended"),
    StepKind.CORRECTED: Words("アドレスを変更", "Address changed"),
    StepKind.ERASED: Words("個人情報を削除", "Personal data erased"),
    StepKind.REPLIED: Words("担当者が返信", "Answered by staff"),
    StepKind.NOTED: Words("記録を追加", "Note added"),
    StepKind.WARNED: Words("10日目の注意", "Warning on day 10"),
    StepKind.OVERDUE: Words("期限を超過", "Overdue"),
    StepKind.DONE: Words("完了", "Done"),
    StepKind.REFUSED: Words("お断り", "Refused"),
}

# A step's details: what they are called, and what their codes mean.
STEP_DETAILS: Mapping[str, Words] = {
    "kind": Words("依頼の種類", "Kind of request"),
    "from": Words("変更前", "Before"),
    "to": Words("変更後", "After"),
    "reason": Words("理由", "Reason"),
    "confidence": Words("確からしさ(%)", "Confidence (percent)"),
    "mail_id": Words("メールの番号", "Mail"),
    "purpose": Words("リンクの目的", "Purpose of the link"),
    "code": Words("内容", "What"),
    "at": Words("日時", "When"),
    "events": Words("個人情報を消した記録の数", "Records cleared of personal data"),
    "mails": Words("消したメールの数", "Mails erased"),
    "cases": Words("個人情報を消した依頼の数", "Requests cleared of personal data"),
}

STEP_CODES: Mapping[str, Words] = {
    "by_staff": Words("担当者による", "By staff"),
    "answered": Words("回答した", "Answered"),
    "unsubscribed": Words("配信停止のご希望", "The person wants no more mail"),
    "goes_on": Words("配信停止のご希望ではない", "The person still wants mail"),
    "link_asked_for": Words("リンクの送信を指示", "Had the link mailed"),
    "told": Words("結果をお知らせ", "Told how it ended"),
    "nothing_held": Words("保有する記録なし", "Nothing is held"),
    "more_mails": Words(
        "さらにメールが届いたが多すぎるため、この依頼には載せていない",
        "More mails came, too many to be kept with this request",
    ),
    "answer_limit": Words(
        "自動の返信の上限のため送らなかった", "Not answered: the limit of automatic answers"
    ),
    "not_mailable": Words("このアドレスにはメールを送れない", "This address cannot be mailed"),
    "erased": Words("ご本人の情報を削除したため", "The person was erased"),
    "gdpr_applies": Words(
        "EU・EEA・英国にお住まいと記録したため、GDPRの期限を適用",
        "Known to live in the EU, EEA or UK: GDPR's month applies",
    ),
    "gdpr_does_not_apply": Words(
        "EU・EEA・英国にお住まいではないと記録したため、GDPRの期限を適用しない",
        "Known to live elsewhere: GDPR's month does not apply",
    ),
    "identity": Words("ご本人の確認", "To confirm the identity"),
    "disclosure": Words("記録の受け取り", "To take the record"),
    "new_address": Words("新しいアドレスの確認", "To confirm the new address"),
}

# Who acted, where it was not a member of staff.
ACTORS: Mapping[str, Words] = {
    "person": Words("ご本人", "the person"),
    "system": Words("システム", "the system"),
}

MAILBOXES: Mapping[str, Words] = {
    Mailbox.REQUESTS: Words("依頼の窓口へのメール", "Mail to the address for requests"),
    Mailbox.REPLY: Words("一斉メールへの返信", "Reply to a campaign"),
    Mailbox.STOP: Words("配信停止用アドレスへのメール", "Mail to the address for unsubscribing"),
    "": Words("社内での受付", "Taken by staff"),
}

TEXTS: Mapping[str, Words] = {
    TextId.OPTIN_CHECKBOX: Words("同意のチェックボックス", "Opt-in checkbox"),
    TextId.NOTICE: Words("ご案内の通知", "Notice"),
    TextId.PHONE_SCRIPT: Words("電話での説明", "Phone script"),
    TextId.UNSUBSCRIBE_NOTICE: Words("配信停止の案内", "Unsubscribe notice"),
    TextId.PURPOSE_OF_USE: Words("利用目的", "Purpose of use"),
}

LANGUAGES: Mapping[str, Words] = {
    Language.JA: Words("日本語", "Japanese"),
    Language.EN: Words("英語", "English"),
}

# An event's details: what stays after an erasure, then what goes with it.
DETAILS: Mapping[str, Words] = {
    "municipality": Words("自治体", "Municipality"),
    "form_id": Words("フォーム", "Form"),
    "operator": Words("担当者", "Operator"),
    "reason": Words("理由", "Reason"),
    "campaign_id": Words("一斉メール", "Campaign"),
    "region": Words("地域", "Region"),
    "basis": Words("根拠", "Basis"),
    "page_url": Words("ページ", "Page"),
    "submission_id": Words("申込番号", "Submission"),
    "request_id": Words("受付番号", "Request"),
    "purpose": Words("利用目的の文言", "Purpose of use"),
    "purpose_sha256": Words("利用目的の文言のハッシュ(SHA-256)", "SHA-256 of the purpose of use"),
    "address": Words("アドレス", "Address"),
    "typed": Words("入力されたアドレス", "Address as typed"),
    "address_kind": Words("アドレスの種類", "Kind of address"),
    "source_ip": Words("IPアドレス", "IP address"),
    "user_agent": Words("ブラウザ", "Browser"),
    "message_id": Words("メールの番号", "Message id"),
    "bounces": Words("届かなかった回数", "Mails that did not arrive"),
    "sub_type": Words("報告の種類", "Kind of report"),
    "status": Words("配信状態コード", "Delivery status code"),
    "case_id": Words("依頼の番号", "Request"),
    "to": Words("変更先(番号)", "Changed to (number)"),
    "from": Words("変更元(番号)", "Changed from (number)"),
    "mail_id": Words("メールの番号", "Mail"),
    "events": Words("個人情報を消した記録の数", "Records cleared of personal data"),
    "mails": Words("消したメールの数", "Mails erased"),
    "cases": Words("個人情報を消した依頼の数", "Requests cleared of personal data"),
    "moved_from": Words("変更前のアドレスの記録(番号)", "Record of the former address (number)"),
}


def detail_words(name: str) -> Words:
    """The name of a detail; a form's own fields are ``field.`` and their name."""
    if name.startswith("field."):
        own = name.removeprefix("field.")
        return Words(f"入力欄 {own}", f"Field {own}")
    return words_of(name, DETAILS)
