"""The fixed words of the proof page, Japanese first and English beside."""

from __future__ import annotations

from collections.abc import Mapping

from shared.domain.reception import Outcome
from shared.words import Words

# Whose a mail is.
DIRECTIONS: Mapping[str, Words] = {
    "in": Words("ご本人から", "From you"),
    "out": Words("当社からの返信", "Our answer"),
}
# What became of a mail that belongs to no request.
OUTCOMES: Mapping[str, Words] = {
    "": Words("処理中", "Being read"),
    Outcome.UNSUBSCRIBED: Words("配信を停止", "Mail was stopped"),
    Outcome.CONFIRM_STOP: Words("配信停止のご本人確認", "You were asked whether it was you"),
    Outcome.HELD: Words("配信を保留", "Mail was put on hold"),
    Outcome.CASE: Words("ご依頼として受付", "Taken as a request"),
    Outcome.FEEDBACK: Words("配信結果の通知として記録", "Recorded as a report about mail"),
    Outcome.FILTERED: Words(
        "自動送信などとして、対応の対象外", "Not answered: sent by a program, for instance"
    ),
}

STRINGS: Mapping[str, Words] = {
    "title": Words("同意と送信の記録", "Record of consent and mailing"),
    "kind": Words("証拠ファイル", "Proof file"),
    # ---- whose, and by whom ----
    "person": Words("対象", "About"),
    "address": Words("メールアドレス", "Address"),
    "typed": Words("入力されたとおりの表記", "As it was typed"),
    "asked_for": Words("照合したアドレス(一部を伏せています)", "Address asked about (masked)"),
    "no_address": Words("なし(削除済み、または未登録)", "None (erased or never given)"),
    "contact_id": Words("連絡先ID", "Contact id"),
    "erased_at": Words("個人情報の削除", "Personal data erased"),
    "made_at": Words("作成日時", "Made on"),
    "made_by": Words("作成者", "Made by"),
    "hash": Words("この記録のSHA-256", "SHA-256 of this record"),
    # ---- verdict ----
    "verdict": Words("現在の判定", "Present verdict"),
    "eligible": Words("一斉メールを送れます", "May receive bulk mail"),
    "not_eligible": Words("一斉メールを送れません", "May not receive bulk mail"),
    "profile_manual": Words("基準: 社内マニュアル", "Rule: the company's manual"),
    "profile_statute": Words(
        "基準: 社内マニュアルと特定電子メール法 3条", "Rule: the manual and article 3 of the Act"
    ),
    "met": Words("満たす", "met"),
    "unmet": Words("満たさない", "not met"),
    "evidence": Words("根拠", "Evidence"),
    "clause": Words("マニュアル", "manual"),
    # ---- events ----
    "events": Words("取得から現在までの記録", "Everything on record, in order"),
    "counted_from": Words("同意の日時", "Consent given on"),
    "wording": Words("表示・説明した文言", "Wording shown or spoken"),
    "version": Words("第{version}版", "version {version}"),
    "published": Words("{day} 公開", "published {day}"),
    "as_published": Words("公開した文言と一致", "identical to the published wording"),
    "not_as_published": Words(
        "公開した文言の一覧にありません", "not in the list of published wordings"
    ),
    "event_id": Words("記録番号", "Record number"),
    # ---- campaigns ----
    "campaigns": Words("一斉メールの記録", "Bulk mail"),
    "no_campaigns": Words(
        "最初の記録のあとに始まった一斉メールはありません。",
        "No bulk mail has been started since the first record.",
    ),
    "message_id": Words("メールの番号", "Message id"),
    # ---- requests ----
    "requests": Words("開示・変更・削除などのご依頼", "Requests"),
    "no_requests": Words("ご依頼の記録はありません。", "No request is on record."),
    "opened_at": Words("受付日時", "Received on"),
    "due_on": Words("回答の期限", "Due on"),
    "legal_on": Words("GDPRによる期限", "By the GDPR"),
    "case_id": Words("依頼の番号", "Request number"),
    # ---- correspondence ----
    "correspondence": Words("メールのやりとり", "Mails to and from you"),
    "no_mails": Words("ご依頼のメールの記録はありません。", "No mail of a request is on record."),
    "no_subject": Words("(件名なし)", "(no subject)"),
    "no_words": Words(
        "本文はありません(本文のないメール、または削除済み)。",
        "No words: there were none, or they were erased.",
    ),
    "shortened": Words(
        "長いため、途中までを記載しています。全文が必要なときは当社へご連絡ください。",
        "Shortened for its length. Please write to us if you need all of it.",
    ),
    "attachments": Words("添付ファイル", "Attachments"),
    "written_down_by": Words("聞き取り・返信の担当者", "Written down or answered by"),
    "received": Words("ご依頼とは別に届いたメール", "Other mails received"),
    "moved_from": Words("変更前のメールアドレスの記録", "On record for your earlier address"),
    # ---- retention ----
    "retention": Words("この記録の保存期間", "How long this record is kept"),
    "keep_until": Words("保存期限", "Keep until"),
    "last_sent_on": Words("最後の送信", "Last mail"),
    "email_act": Words("特定電子メール法による期限", "By the Act on Specified E-mail"),
    "commerce_act": Words(
        "特定商取引法による期限", "By the Act on Specified Commercial Transactions"
    ),
    "no_term": Words("未定", "Not yet set"),
    # ---- verification ----
    "verification": Words("この記録の確かめ方", "How to check this record"),
    "save": Words("記録本体(JSON)を保存", "Save the record itself (JSON)"),
}
