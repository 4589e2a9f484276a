"""Every sentence of the public pages, Japanese and English side by side.

The consent wordings are not here: they are evidence and live, by version, in
``shared/texts/consent.py``. ``{name}`` marks what a template fills in.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from shared.texts.consent import Language

STRINGS: Mapping[str, tuple[str, str]] = {
    # ---- every page ----
    "skip": ("本文へ移動", "Skip to main content"),
    "switch_label": ("言語の切り替え", "Change language"),
    "switch": ("English", "日本語"),  # the other language, in its own words
    "footer_label": ("運営者とお問い合わせ先", "Operator and contact"),
    "address": ("住所", "Address"),
    "contact": ("お問い合わせ先", "Contact"),
    "required": ("※必須", "(required)"),
    "optional": ("任意", "(optional)"),
    "the_company": (
        "「当社」とは、{company}のことです。",
        "“We” and “the company” on this page: {company}",
    ),
    "may_close": ("この画面は閉じてかまいません。", "You may close this page."),
    # ---- the form ----
    "municipal_shoulder": (
        "{municipality}と{company}の連携事業",
        "A joint project of {municipality} and {company}",
    ),
    "error_prefix": ("エラー: ", "Error: "),
    "errors_title": (
        "送信できませんでした。入力内容をご確認ください。",
        "Not sent. Please check what you entered.",
    ),
    "errors_help": (
        "下の項目を直して、もう一度送信してください。",
        "Please correct the following and send the form again.",
    ),
    "notice_title": ("お知らせ", "Please note"),
    "purpose_title": ("個人情報の利用目的", "How we use your personal data"),
    "email": ("メールアドレス", "E-mail address"),
    "email_hint": ("例: taro@example.jp", "For example: taro@example.jp"),
    "length_hint": ("{count}文字以内", "Up to {count} characters"),
    "error_label": ("エラー", "Error"),
    "suggestion": ("もしかして:", "Did you mean:"),
    "suggestion_help": (
        "正しい場合は、上の欄をこのアドレスに直してください。",
        "If so, please correct the address above.",
    ),
    "optin_title": ("ご案内メールの受け取り", "Receiving our e-mails"),
    "optin_help": (
        "ご希望の方は、チェックを入れてください。チェックしなくても送信できます。",
        "Tick the box if you wish. You can send the form without ticking it.",
    ),
    "may_stop": (
        "ご案内メールは、いつでも停止できます。",
        "You can stop the e-mails at any time.",
    ),
    "notice_section": ("ご案内メールについて", "About our e-mails"),
    "honeypot": (
        "この欄には何も入力しないでください",
        "Leave this field empty",
    ),
    "submit": ("送信する", "Send"),
    # ---- thanks ----
    "thanks_title": ("送信しました", "Sent"),
    "thanks_lead": (
        "ご入力ありがとうございました。次の内容で受け付けました。",
        "Thank you. We received your form as follows.",
    ),
    "state_title": ("ご案内メールの受け取り", "Receiving our e-mails"),
    "state_opted_in": ("同意しました", "You agreed"),
    "state_not_opted_in": (
        "今回は同意していません(チェックなし)",
        "You did not agree this time (box not ticked)",
    ),
    "state_notified": ("お送りする場合があります", "We may send you e-mails"),
    "wording_opted_in": ("同意いただいた内容", "What you agreed to"),
    "wording_not_opted_in": ("同意していない内容", "What you did not agree to"),
    "wording_notified": ("ご案内の内容", "What we may send"),
    "next_title": ("このあとの流れ", "What happens next"),
    "next_opted_in_1": (
        "担当者が、ご同意の内容を確認します。",
        "A member of our staff checks your consent.",
    ),
    "next_opted_in_2": (
        "確認のあと、ご案内メールをお送りします。",
        "After that, we send you our e-mails.",
    ),
    "next_opted_in_3": (
        "ご案内メールは、メールにあるリンクからいつでも停止できます。",
        "You can stop them at any time with the link in each e-mail.",
    ),
    # An unticked box takes nothing away that was agreed to elsewhere; the page must not say so.
    "next_not_opted_in_1": (
        "今回の送信をもとに、ご案内メールをお送りすることはありません。",
        "We will not send you our e-mails on the basis of this form.",
    ),
    "next_not_opted_in_2": (
        "以前に受け取りに同意された方は、その設定のまま変わりません。",
        "If you agreed on another occasion, that choice stays as it is.",
    ),
    "next_not_opted_in_3": (
        "停止をご希望の方は、メールにあるリンク、または下のお問い合わせ先からお手続きください。",
        "To stop e-mails, use the link in any of them or the contact below.",
    ),
    "next_notified_1": (
        "ご入力いただいたメールアドレスに、ご案内をお送りする場合があります。",
        "We may send e-mails to the address you entered.",
    ),
    "next_notified_2": (
        "ご不要の方は、メールにあるリンク、または下のお問い合わせ先から、いつでも停止できます。",
        "You can stop them at any time with the link in each e-mail or the contact below.",
    ),
    # ---- unsubscribe ----
    "stop_title": ("メールの配信を停止しますか?", "Stop receiving e-mails?"),
    "stop_lead": (
        "{company}からのご案内メールを停止します。",
        "This stops the e-mails that {company} sends you.",
    ),
    "stop_address": ("停止するメールアドレス", "E-mail address"),
    "stop_masked": (
        "安全のため、一部を「*」で隠しています。",
        "Part of it is hidden with * for your protection.",
    ),
    "stop_help": (
        "ボタンを押すと、すぐに停止します。ログインや理由の入力は必要ありません。",
        "It takes effect as soon as you press the button. You need not sign in or give a reason.",
    ),
    "stop_button": ("配信を停止する", "Stop the e-mails"),
    "already_title": ("メールの配信は停止しています", "The e-mails are already stopped"),
    "already_lead": (
        "{company}からのご案内メールは、すでに停止しています。お手続きは必要ありません。",
        "{company} no longer sends you its e-mails. There is nothing you need to do.",
    ),
    "already_help": (
        "念のため、もう一度停止のお手続きをすることもできます。配信の再開は、その次の画面でできます。",
        "You may stop them once more to be sure. The page after that also lets you start again.",
    ),
    "already_button": ("もう一度停止する", "Stop once more"),
    "stopped_title": ("配信を停止しました", "The e-mails are stopped"),
    "stopped_lead": (
        "{company}からのご案内メールは、もう届きません。お手続きは終わりです。",
        "{company} will not send you its e-mails any more. You are done.",
    ),
    "reason_title": (
        "よろしければ、停止の理由を教えてください",
        "If you like, tell us why",
    ),
    "reason_help": (
        "答えなくても、停止のお手続きは終わっています。",
        "The e-mails are stopped whether or not you answer.",
    ),
    "reason_legend": ("停止の理由", "Reason"),
    "reason_too_many": ("メールの回数が多い", "Too many e-mails"),
    "reason_not_relevant": ("自分には関係のない内容だった", "Not relevant to me"),
    "reason_never_asked": ("登録した覚えがない", "I never asked for them"),
    "reason_content": ("内容が期待とちがった", "The content was not what I expected"),
    "reason_other": ("その他", "Other"),
    "reason_button": ("理由を送る", "Send the reason"),
    "reason_thanks": (
        "理由をお聞かせいただき、ありがとうございました。",
        "Thank you for telling us why.",
    ),
    "undo_title": ("まちがえて停止した方へ", "Stopped by mistake?"),
    "undo_help": (
        "下の内容に同意し、チェックを入れていただくと、もう一度ご案内メールを受け取れます。",
        "Tick the box to agree to the following, and you can receive our e-mails again.",
    ),
    "undo_button": ("配信を再開する", "Start the e-mails again"),
    "resumed_title": ("ご同意を受け付けました", "Thank you for agreeing"),
    "resumed_lead": (
        "{company}からのご案内メールを再開します。再開まで少し時間がかかることがあります。",
        "{company} will send you its e-mails again. It may take a little while to start.",
    ),
    "resumed_stop": (
        "ご案内メールは、メールにあるリンクからいつでも停止できます。",
        "You can stop them at any time with the link in each e-mail.",
    ),
    # ---- problems ----
    "problem_help": (
        "お困りのときは、下のお問い合わせ先へご連絡ください。",
        "If you need help, please use the contact below.",
    ),
    "problem_number": ("エラー番号", "Error number"),
    # ---- embedding, for the municipality's web person ----
    "embed_title": ("フォームの埋め込み方", "Embedding this form"),
    "embed_lead": (
        "自治体のウェブページに「{title}」を置くためのHTMLです。JavaScriptは使いません。",
        "The HTML that puts “{title}” on a municipality's own page. It needs no JavaScript.",
    ),
    "embed_code_title": ("1. HTMLを貼り付ける", "1. Paste the HTML"),
    "embed_code_help": (
        "枠の中をクリックすると、全体を選べます。コピーして、ページに貼り付けてください。",
        "Click inside the box to select everything, copy it and paste it into your page.",
    ),
    "embed_rules_title": ("2. 守っていただきたいこと", "2. Please keep to this"),
    "embed_rule_visible": (
        "利用目的と、ご案内メールの文は、変えずに、読みやすく表示してください。",
        "Show the purpose of use and the text about e-mails unchanged and easy to read.",
    ),
    "embed_rule_box": (
        "チェックボックスは、はじめからチェックを入れたり、必須にしたりしないでください。",
        "Never tick the box beforehand, and never make it required.",
    ),
    "embed_rule_hidden": (
        'type="hidden" の項目は消さないでください。表示した文の記録に使います。',
        'Keep the type="hidden" fields: they record which text was shown.',
    ),
    "embed_rule_https": (
        "https:// で始まるページに置いてください。",
        "Put it on a page whose address begins with https://.",
    ),
    "embed_rule_design": (
        "色や文字の大きさなど、デザインはページに合わせて自由に変えられます。",
        "Colours, fonts and layout are yours to adapt to your page.",
    ),
    "embed_origins_title": ("3. 置けるサイトを確かめる", "3. Check the site"),
    "embed_origins_help": (
        "次のサイトから送信できます。ほかのサイトに置くときは、先に下のお問い合わせ先へご連絡ください。",
        "The form may be sent from these sites. For any other, please contact us first.",
    ),
    "embed_origins_none": (
        "まだ登録がありません。置くサイトのアドレスを、下のお問い合わせ先へご連絡ください。",
        "None yet. Please tell us the address of your site through the contact below.",
    ),
    "embed_fields_title": ("4. 送信される項目", "4. What is sent"),
    "embed_fields_name": ("項目名(name)", "Name"),
    "embed_fields_meaning": ("内容", "Meaning"),
    "embed_opt_in": (
        "ご案内メールの受け取り(チェックなしは送信されません)",
        "Receiving e-mails (not sent when not ticked)",
    ),
    "embed_wording": ("表示した文の番号(変更しない)", "The text shown (do not change)"),
    "embed_lang": ("表示した言語(変更しない)", "The language shown (do not change)"),
    "embed_page_url": (
        "置いたページのURL(書き足すと、記録に残ります)",
        "The address of your page (if you add it, it is kept in the record)",
    ),
    "embed_after": (
        "送信のあとは完了ページが開きます。入力に誤りがあるときは、直すためのページが開きます。",
        "Afterwards a thank-you page opens, or, if something is wrong, a page to correct it.",
    ),
    "embed_preview_title": ("5. 見本", "5. Preview"),
    "embed_preview_help": (
        "上のHTMLをそのまま表示しています。見本からは送信できません。送信を試すときは、こちらから:",
        "The HTML above, as it is. The preview cannot be sent. To try sending, use:",
    ),
}


@cache
def strings(language: Language) -> Mapping[str, str]:
    """All sentences in one language."""
    column = 0 if language is Language.JA else 1
    return {key: pair[column] for key, pair in STRINGS.items()}
