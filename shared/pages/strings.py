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
    # ---- confirming a privacy request ----
    "confirm_address": ("対象のメールアドレス", "E-mail address"),
    "confirm_what_happens": ("ボタンを押すと", "When you press the button"),
    "confirm_until": (
        "このボタンが使えるのは、{until}(日本時間)までです。",
        "You can use the button until {until}.",
    ),
    "confirm_nothing": (
        (
            "お心当たりがない場合は、何もせずにこの画面を閉じてください。"
            "ボタンを押さなければ、何も変わりません。"
        ),
        (
            "If you know nothing of this, just close this page. Nothing changes unless you "
            "press the button."
        ),
    ),
    "confirm_due": (
        "結果は、{due}までにメールでお知らせします。",
        "We tell you the outcome by e-mail, by {due}.",
    ),
    "confirm_disclosure_title": ("登録内容の開示を依頼しますか?", "Ask to see your data?"),
    "confirm_disclosure_lead": (
        ("次のメールアドレスについて、{company}がお預かりしている情報をお見せするお手続きです。"),
        (
            "This is about seeing the personal data that {company} holds about the following "
            "address."
        ),
    ),
    "confirm_disclosure_1": ("ご本人の確認が終わります。", "You confirm that it is you who asks."),
    "confirm_disclosure_2": (
        "登録内容のファイルを受け取るためのメールを、このメールアドレスにお送りします。",
        "We send an e-mail to this address, with which you can fetch a file with the data.",
    ),
    "confirm_disclosure_button": ("開示を依頼する", "Ask for my data"),
    "confirm_correction_title": ("登録内容の変更を依頼しますか?", "Ask to change your data?"),
    "confirm_correction_lead": (
        ("次のメールアドレスについて、{company}がお預かりしている情報を変更するお手続きです。"),
        (
            "This is about changing the personal data that {company} holds about the following "
            "address."
        ),
    ),
    "confirm_correction_1": ("ご本人の確認が終わります。", "You confirm that it is you who asks."),
    "confirm_correction_2": (
        (
            "担当者が変更の内容を確認します。"
            "メールアドレスの変更では、新しいアドレスにも確認のメールをお送りします。"
        ),
        (
            "Our staff look at the change. If it is a new e-mail address, we send an e-mail "
            "there too, to confirm it."
        ),
    ),
    "confirm_correction_button": ("変更を依頼する", "Ask for the change"),
    "confirm_erasure_title": ("登録内容を削除しますか?", "Erase your data?"),
    "confirm_erasure_lead": (
        (
            "次のメールアドレスについて、"
            "{company}がお預かりしている情報を削除するお手続きです。"
            "削除すると、元に戻せません。"
        ),
        (
            "This is about erasing the personal data that {company} holds about the following "
            "address. It cannot be undone."
        ),
    ),
    "confirm_erasure_1": (
        "ご案内メールの配信を、すぐに停止します。",
        "The e-mails to you stop at once.",
    ),
    "confirm_erasure_2": (
        "担当者が確認したうえで、登録内容を削除します。",
        "Our staff check the request, then the data are erased.",
    ),
    "confirm_erasure_2_by_itself": (
        "登録内容を、まもなく削除します。",
        "The data are erased shortly after.",
    ),
    "confirm_erasure_3": (
        (
            "ふたたびメールをお送りしないための符号と、"
            "同意を証明するための記録(種類と日時)だけは残ります。"
        ),
        (
            "All that stays is a code by which we never write to you again, and kinds and "
            "times that prove the consent."
        ),
    ),
    "confirm_erasure_button": ("削除を依頼する", "Erase my data"),
    "confirm_stop_use_title": (
        "メールの配信と個人情報の利用を停止しますか?",
        "Stop our e-mails and the use of your data?",
    ),
    "confirm_stop_use_lead": (
        (
            "次のメールアドレスについて、{company}からのご案内メールの配信と、"
            "個人情報の利用を停止するお手続きです。"
        ),
        (
            "This stops the e-mails that {company} sends to the following address, and the use "
            "of the data about it."
        ),
    ),
    "confirm_stop_use_1": (
        "ご案内メールの配信を、すぐに停止します。",
        "The e-mails to you stop at once.",
    ),
    "confirm_stop_use_2": (
        "終わりましたら、メールでお知らせします。",
        "We tell you by e-mail when it is done.",
    ),
    "confirm_stop_use_button": ("停止する", "Stop"),
    "confirm_inquiry_title": ("お問い合わせは、ご本人からですか?", "Was it you who wrote to us?"),
    "confirm_inquiry_lead": (
        (
            "{company}が次のメールアドレスからいただいたお問い合わせについて、"
            "ご本人の確認をするお手続きです。"
        ),
        (
            "This confirms that the question {company} received from the following address "
            "came from you."
        ),
    ),
    "confirm_inquiry_1": ("ご本人の確認が終わります。", "You confirm that it was you."),
    "confirm_inquiry_2": ("担当者がメールでお返事します。", "Our staff answer you by e-mail."),
    "confirm_inquiry_button": ("本人だと確認する", "Yes, it was me"),
    "confirm_new_address_title": (
        "このメールアドレスに変更しますか?",
        "Use this e-mail address from now on?",
    ),
    "confirm_new_address_lead": (
        ("{company}からのメールを受け取るアドレスを、次のメールアドレスに変更するお手続きです。"),
        "This changes the address to which {company} writes to you to the following one.",
    ),
    "confirm_new_address_1": (
        "新しいメールアドレスの確認が終わり、登録内容を変更します。",
        "The new address is confirmed, and the change is made.",
    ),
    "confirm_new_address_2": (
        "配信停止など、これまでのご希望はそのまま引き継ぎます。",
        "What you chose so far, such as having stopped our e-mails, stays as it is.",
    ),
    "confirm_new_address_button": ("このアドレスに変更する", "Use this address"),
    "confirm_file_title": ("登録内容のファイルを受け取りますか?", "Fetch the file with your data?"),
    "confirm_file_lead": (
        ("次のメールアドレスについて、{company}がお預かりしている情報をまとめたファイルです。"),
        ("The file holds everything that {company} has on record about the following address."),
    ),
    "confirm_file_1": (
        (
            "ファイルが、お使いの機器に保存されます。画面は変わりません。"
            "「ダウンロード」のフォルダーをご確認ください。"
        ),
        (
            "The file is saved on your device, in the folder for downloads. This page stays as "
            "it is."
        ),
    ),
    "confirm_file_2": (
        (
            "受け取れるのは1回だけです。"
            "個人情報が書かれていますので、ご自分の機器でお受け取りください。"
        ),
        ("You can fetch it only once. It holds personal data, so please use a device of your own."),
    ),
    "confirm_file_button": ("ファイルを受け取る", "Fetch the file"),
    "confirm_file_nothing": (
        "受け取らなくても、お預かりしている情報は変わりません。",
        "If you do not fetch it, nothing changes.",
    ),
    "confirmed_title": ("確認が終わりました", "Confirmed"),
    "confirmed_disclosure_1": (
        (
            "ファイルを受け取るためのメールを、まもなくお送りします。"
            "届かないときは、迷惑メールのフォルダーもご確認ください。"
        ),
        (
            "You will soon get an e-mail with which you can fetch the file. If it does not "
            "come, please look among the spam."
        ),
    ),
    "confirmed_correction_1": (
        (
            "担当者が変更の内容を確認します。"
            "新しいメールアドレスをお知らせいただいている場合は、"
            "そのアドレスにも確認のメールをお送りします。"
        ),
        (
            "Our staff look at the change. If you told us a new e-mail address, we send an "
            "e-mail there too, to confirm it."
        ),
    ),
    "confirmed_erasure_1": (
        "ご案内メールの配信を停止しました。",
        "The e-mails to you are stopped.",
    ),
    "confirmed_erasure_2": (
        "このあと、担当者が確認したうえで、登録内容を削除します。",
        "Next, our staff check the request, then the data are erased.",
    ),
    "confirmed_erasure_2_by_itself": (
        "このあと、登録内容を削除します。",
        "Next, the data are erased.",
    ),
    "confirmed_stop_use_1": (
        "ご案内メールの配信を停止しました。ほかのお手続きは必要ありません。",
        "The e-mails to you are stopped. There is nothing more you need to do.",
    ),
    "confirmed_inquiry_1": ("担当者がメールでお返事します。", "Our staff answer you by e-mail."),
    "confirmed_new_address_1": (
        "新しいメールアドレスを確認しました。このあと、登録内容を変更します。",
        "The new address is confirmed. The change is made next.",
    ),
    "already_confirmed_title": ("すでに確認が終わっています", "Already confirmed"),
    "already_confirmed_1": (
        "{at}(日本時間)に確認していただいています。もう一度押す必要はありません。",
        "You confirmed this on {at}. You need not do it again.",
    ),
    "already_confirmed_2": (
        "結果は、メールでお知らせします。すでにお知らせしている場合もあります。",
        "We tell you the outcome by e-mail, if we have not done so already.",
    ),
    "over_link_used_title": (
        "このファイルは、すでに受け取られています",
        "This file has already been fetched",
    ),
    "over_link_used_1": (
        "{at}(日本時間)に受け取られました。受け取れるのは1回だけです。",
        "It was fetched on {at}, and that can be done only once.",
    ),
    "over_link_used_2": (
        (
            "受け取った覚えがない場合や、もう一度必要な場合は、"
            "リンクの書かれたメールに返信してお知らせください。"
        ),
        (
            "If it was not you, or if you need it again, please reply to the e-mail that had "
            "the link."
        ),
    ),
    "over_link_expired_title": ("このリンクの期限が切れています", "This link has expired"),
    "over_link_expired_1": (
        (
            "{until}(日本時間)まで使えるリンクでした。"
            "リンクが使われなかったため、何も変わっていません。"
        ),
        "It worked until {until}. As it was not used, nothing has changed.",
    ),
    "over_link_expired_2": (
        "お手続きを続けたい場合は、リンクの書かれたメールに返信してお知らせください。",
        "If you want to go on, please reply to the e-mail that had the link.",
    ),
    "over_link_void_title": ("このリンクは使えなくなりました", "This link no longer works"),
    "over_link_void_1": (
        (
            "そのあとに新しいメールをお送りしている場合があります。"
            "いちばん新しいメールのボタンを押してください。"
        ),
        ("We may have sent you another e-mail since. Please use the button in the newest one."),
    ),
    "over_link_void_2": (
        ("新しいメールが見あたらない場合は、リンクの書かれたメールに返信してお知らせください。"),
        "If there is none, please reply to the e-mail that had the link.",
    ),
    "over_already_verified_title": (
        "ご本人の確認は済んでいます",
        "It is already known that it was you",
    ),
    "over_already_verified_1": (
        "担当者が別の方法でご本人と確認しました。このリンクを使う必要はありません。",
        "Our staff have made sure of that in another way. You need not use this link.",
    ),
    "over_already_verified_2": (
        "ご不明な点は、リンクの書かれたメールに返信してお知らせください。",
        "If anything is unclear, please reply to the e-mail that had the link.",
    ),
    "over_case_closed_title": ("このお手続きは終わっています", "This request is closed"),
    "over_case_closed_1": (
        "このリンクでできることは、もうありません。",
        "There is nothing left to do with this link.",
    ),
    "over_case_closed_2": (
        "ほかにご希望がある場合は、リンクの書かれたメールに返信してお知らせください。",
        "If there is something else, please reply to the e-mail that had the link.",
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
