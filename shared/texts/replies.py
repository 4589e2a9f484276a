"""What mails to one person say: answers to what they wrote, and how their request goes on.

Each text stands in both languages. A mail says it in full in the person's language, and below,
for whoever reads the other one, in short. ``{name}`` is filled in; a paragraph with a place for
which there is nothing is left out. Nothing here repeats what the person wrote, and nothing asked
for by an unproven sender says whether anything is held.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Section(NamedTuple):
    """A heading and a list."""

    title: str
    items: tuple[str, ...]


class Said(NamedTuple):
    """One mail in one language. ``button`` is the label of its one link; ``brief`` the short form."""

    subject: str
    lead: tuple[str, ...]
    brief: tuple[str, ...]
    button: str = ""
    after: tuple[str, ...] = ()
    sections: tuple[Section, ...] = ()


class Pair(NamedTuple):
    """The same in both languages."""

    ja: Said
    en: Said


OPENING = ("{company}です。", "A message from {company}")
ADDRESS = ("対象のメールアドレス: {masked}", "E-mail address concerned: {masked}")
NO_BUTTON = (
    "ボタンを押せないときは、次のアドレスを開いてください。",
    "If the button does not work, open this address:",
)
CLOSING = (
    "ご不明な点は、このメールに返信してお尋ねください。担当者に届きます。",
    "If you have any questions, just reply to this e-mail. It reaches our staff.",
)

# What was asked for, by the kind of the case.
WISHES: Mapping[str, tuple[str, str]] = {
    "disclosure": ("登録内容の開示のご依頼", "request to see your personal data"),
    "correction": ("登録内容の変更のご依頼", "request to change your personal data"),
    "erasure": ("登録内容の削除のご依頼", "request to erase your personal data"),
    "stop_use": (
        "個人情報の利用停止のご依頼",
        "request to stop using your personal data",
    ),
    "inquiry": ("お問い合わせ", "question"),
    "": ("個人情報についてのご依頼", "request about your personal data"),
}

REPLIES: Mapping[str, Pair] = {
    "stopped": Pair(
        Said(
            subject="ご案内メールの配信を停止しました",
            lead=(
                "メールでお知らせいただき、ありがとうございました。",
                "ご希望のとおり、{company}からのご案内メールの配信を停止しました。これ以上のお手続きは必要ありません。",
                "停止したメールアドレス: {masked}",
            ),
            after=(
                "お心当たりがない場合や、もう一度受け取りたい場合は、このメールに返信してお知らせください。",
            ),
            brief=(
                "ご希望のとおり、ご案内メールの配信を停止しました。お手続きは必要ありません。",
                "お心当たりがない場合は、このメールに返信してください。",
            ),
        ),
        Said(
            subject="We have stopped our e-mails to you",
            lead=(
                "Thank you for letting us know.",
                "As you asked, {company} has stopped sending you its e-mails. There is nothing more you need to do.",
                "Address that was stopped: {masked}",
            ),
            after=(
                "If you did not ask for this, or if you would like to receive them again, please reply to this e-mail.",
            ),
            brief=(
                "As you asked, we have stopped our e-mails to you. There is nothing more to do.",
                "If you did not ask for this, please reply to this e-mail.",
            ),
        ),
    ),
    "confirm_stop": Pair(
        Said(
            subject="配信停止のご確認のお願い",
            lead=(
                "ご案内メールの配信を停止してほしい、というメールを受け取りました。",
                "ほかの方がなりすましてお手続きすることを防ぐため、ご本人からのお申し出かどうかを確かめさせてください。",
                "お申し出に間違いがなければ、下のボタンを押してください。開いた画面でもう一度ボタンを押すと、配信が停止します。",
            ),
            button="配信停止の確認へ進む",
            after=(
                "このボタンが使えるのは、{until}(日本時間)までです。",
                "お心当たりがない場合は、何もしなくてかまいません。ボタンを押さなければ、お手続きは進まず、何も変わりません。",
            ),
            brief=(
                "ご案内メールの配信停止のお申し出を受け取りました。ご本人からのお申し出であれば、{until}(日本時間)までに、下のボタンを押して確認してください。",
                "お心当たりがない場合は、何もしなくてかまいません。何も変わりません。",
            ),
        ),
        Said(
            subject="Please confirm that our e-mails should stop",
            lead=(
                "We received an e-mail asking us to stop our e-mails to this address.",
                "So that nobody else can do this in your name, please let us know that it was you.",
                "If it was, press the button below. A page opens; press the button there once more, and the e-mails stop.",
            ),
            button="Go on to confirm",
            after=(
                "You can use the button until {until}.",
                "If it was not you, you need not do anything. Unless you press the button, nothing goes on and nothing changes.",
            ),
            brief=(
                "We were asked to stop our e-mails to this address. If it was you, please confirm with the button below, until {until}.",
                "If it was not you, you need not do anything. Nothing will change.",
            ),
        ),
    ),
    "ask_identity": Pair(
        Said(
            subject="ご本人確認のお願い",
            lead=(
                "{wish}を、メールで受け取りました。",
                "大切な個人情報をお守りするため、ご本人からのものかどうかを確かめさせてください。",
                "間違いがなければ、下のボタンを押してください。開いた画面で内容をご確認のうえ、もう一度ボタンを押すと、ご本人の確認が終わります。",
            ),
            button="ご本人確認へ進む",
            after=(
                "このボタンが使えるのは、{until}(日本時間)までです。",
                "ご本人の確認が終わりましたら、{due}までにお返事いたします。",
                "お心当たりがない場合は、何もしなくてかまいません。ボタンを押さなければ、お手続きは進まず、情報をお渡しすることも、変えることも、消すこともありません。",
                "このメールは、どなたからのご依頼にも同じ内容でお送りしています。情報をお預かりしているかどうかを示すものではありません。",
            ),
            brief=(
                "{wish}を受け取りました。ご本人からのものであれば、{until}(日本時間)までに、下のボタンを押して確認してください。",
                "お心当たりがない場合は、何もしなくてかまいません。お手続きは進みません。",
            ),
        ),
        Said(
            subject="Please confirm that it was you",
            lead=(
                "We received a {wish} by e-mail.",
                "To protect personal data, we need to know that it came from you.",
                "If it did, press the button below. A page opens that shows what was asked for; press the button there once more to confirm.",
            ),
            button="Go on to confirm",
            after=(
                "You can use the button until {until}.",
                "Once you have confirmed, you will have our answer by {due}.",
                "If it was not you, you need not do anything. Unless you press the button, nothing goes on: no data are given out, changed or erased.",
                "Everybody who asks gets this same e-mail. It does not mean that we hold any data.",
            ),
            brief=(
                "We received a {wish}. If it came from you, please confirm with the button below, until {until}.",
                "If it was not you, you need not do anything. Nothing goes on without it.",
            ),
        ),
    ),
    "received": Pair(
        Said(
            subject="メールを受け付けました",
            lead=(
                "メールをお送りいただき、ありがとうございました。確かに受け取りました。",
                "担当者が内容を読み、{due}までに、このメールアドレスあてにお返事いたします。今しばらくお待ちください。",
            ),
            after=(
                "このメールは自動でお送りしています。お急ぎのときは、下のお問い合わせ先へご連絡ください。",
            ),
            brief=("メールを受け取りました。担当者が読み、{due}までにお返事いたします。",),
        ),
        Said(
            subject="We received your e-mail",
            lead=(
                "Thank you for writing to us. Your e-mail has arrived.",
                "A member of our staff will read it and answer to this address by {due}.",
            ),
            after=(
                "This e-mail was sent automatically. If it is urgent, please use the contact below.",
            ),
            brief=(
                "Your e-mail has arrived. A member of our staff will read it and answer by {due}.",
            ),
        ),
    ),
    "held": Pair(
        Said(
            subject="メールを受け付けました(ご案内メールはお休みしています)",
            lead=(
                "メールをお送りいただき、ありがとうございました。確かに受け取りました。",
                "配信の停止をご希望かもしれませんので、念のため、このメールアドレスへのご案内メールはお休みします。",
                "担当者が内容を読み、{due}までにお返事いたします。",
            ),
            after=(
                "配信の停止をご希望のときは、このメールに「配信停止」とだけ書いて返信していただいてもかまいません。",
            ),
            brief=(
                "メールを受け取りました。配信の停止をご希望かもしれませんので、念のため、ご案内メールはお休みします。担当者が読み、{due}までにお返事いたします。",
            ),
        ),
        Said(
            subject="We received your e-mail (our e-mails are on hold)",
            lead=(
                "Thank you for writing to us. Your e-mail has arrived.",
                "As you may want our e-mails to stop, we have put them on hold for this address, to be sure.",
                "A member of our staff will read what you wrote and answer by {due}.",
            ),
            after=(
                "If you want the e-mails to stop, you may also just reply with the one word “unsubscribe”.",
            ),
            brief=(
                "Your e-mail has arrived. As you may want our e-mails to stop, we have put them on hold. A member of our staff will read it and answer by {due}.",
            ),
        ),
    ),
    "disclosure_ready": Pair(
        Said(
            subject="登録内容のファイルをご用意しました",
            lead=(
                "ご依頼いただいた登録内容の開示の準備ができました。お預かりしている情報を、ひとつのファイルにまとめています。",
                "下のボタンを押し、開いた画面でもう一度ボタンを押すと、ファイルがお手もとの機器に保存されます。",
            ),
            button="ファイルの受け取りへ進む",
            after=(
                "受け取れるのは、{until}(日本時間)までで、1回だけです。",
                "ファイルには個人情報が書かれています。ご自分の機器でお受け取りになり、このメールをほかの方に転送しないでください。",
                "期限が過ぎたときや、うまく受け取れなかったときは、このメールに返信してお知らせください。受け取らなくても、お預かりしている情報は変わりません。",
            ),
            brief=(
                "ご依頼の登録内容のファイルをご用意しました。下のボタンから、{until}(日本時間)までに、1回だけ受け取れます。",
            ),
        ),
        Said(
            subject="Your file is ready",
            lead=(
                "As you asked, we have put everything we hold about this address into one file.",
                "Press the button below. A page opens; press the button there once more, and the file is saved on your device.",
            ),
            button="Go on to the file",
            after=(
                "You can fetch it until {until}, and only once.",
                "The file contains personal data. Please fetch it on a device of your own, and do not forward this e-mail.",
                "If it is too late, or if something went wrong, please reply to this e-mail. If you do not fetch the file, nothing changes.",
            ),
            brief=(
                "The file with everything we hold about this address is ready. You can fetch it with the button below until {until}, and only once.",
            ),
        ),
    ),
    "nothing_held": Pair(
        Said(
            subject="開示のご依頼へのお返事",
            lead=(
                "登録内容の開示のご依頼について、お調べしました。",
                "このメールアドレスについて、お預かりしている情報はありませんでした。",
                "お調べしたメールアドレス: {masked}",
            ),
            after=(
                "別のメールアドレスでご登録かもしれない場合は、そのアドレスからあらためてメールをお送りください。",
            ),
            brief=(
                "お調べしましたが、このメールアドレスについて、お預かりしている情報はありませんでした。",
            ),
        ),
        Said(
            subject="Answer to your request for disclosure",
            lead=(
                "We looked for everything about this address, as you asked.",
                "We hold no data about it.",
                "Address we looked for: {masked}",
            ),
            after=(
                "If you may have registered with another address, please write to us again from that one.",
            ),
            brief=("We looked as you asked, and hold no data about this address.",),
        ),
    ),
    "new_address": Pair(
        Said(
            subject="新しいメールアドレスのご確認のお願い",
            lead=(
                "このメールアドレスを新しい連絡先にしたい、というお申し出をいただきました。",
                "間違いがなければ、下のボタンを押してください。開いた画面でもう一度ボタンを押すと、変更のお手続きが進みます。",
            ),
            button="新しいアドレスの確認へ進む",
            after=(
                "このボタンが使えるのは、{until}(日本時間)までです。",
                "お心当たりがない場合は、何もしなくてかまいません。ボタンを押さなければ、このメールアドレスが登録されることはありません。",
            ),
            brief=(
                "このメールアドレスを新しい連絡先にしたい、というお申し出をいただきました。間違いがなければ、{until}(日本時間)までに、下のボタンを押して確認してください。",
                "お心当たりがない場合は、何もしなくてかまいません。登録されることはありません。",
            ),
        ),
        Said(
            subject="Please confirm your new e-mail address",
            lead=(
                "We were asked to use this e-mail address from now on.",
                "If that is right, press the button below. A page opens; press the button there once more, and the change goes on.",
            ),
            button="Go on to confirm the new address",
            after=(
                "You can use the button until {until}.",
                "If you know nothing of this, you need not do anything. Unless you press the button, this address will not be registered.",
            ),
            brief=(
                "We were asked to use this e-mail address from now on. If that is right, please confirm with the button below, until {until}.",
                "If you know nothing of this, you need not do anything. The address will not be registered.",
            ),
        ),
    ),
    "corrected": Pair(
        Said(
            subject="登録内容の変更が終わりました",
            lead=(
                "ご依頼いただいた登録内容の変更が終わりました。",
                "配信停止など、メールの受け取りについてのこれまでのご希望は、そのまま引き継いでいます。",
            ),
            after=(
                "お心当たりがない場合は、お手数ですが、すぐにこのメールに返信してお知らせください。",
            ),
            brief=(
                "ご依頼の登録内容の変更が終わりました。お心当たりがない場合は、すぐにこのメールに返信してください。",
            ),
        ),
        Said(
            subject="Your data have been changed",
            lead=(
                "The change you asked for is done.",
                "What you chose about receiving e-mails, such as having stopped them, stays as it was.",
            ),
            after=("If you did not ask for this, please reply to this e-mail at once.",),
            brief=(
                "The change you asked for is done. If you did not ask for it, please reply to this e-mail at once.",
            ),
        ),
    ),
    "erased": Pair(
        Said(
            subject="登録内容の削除が完了しました(削除証明書)",
            lead=(
                "ご依頼いただいた登録内容の削除が、{at}(日本時間)に完了しました。このメールがその証明書です。大切に保管してください。",
                "削除したメールアドレス: {masked}",
            ),
            sections=(
                Section(
                    "削除したもの",
                    (
                        "メールアドレス、フォームにご入力いただいた内容、送信元の情報など、{events}件の記録にあった個人情報",
                        "お送りいただいたメール{mails}通(原本と本文)",
                        "ご依頼やお問い合わせ{cases}件にあった個人情報。このメールをお送りするために使ったメールアドレスも、送信のあとに削除します",
                    ),
                ),
                Section(
                    "残したもの",
                    (
                        "メールアドレスから秘密の鍵で計算した符号(符号からメールアドレスに戻すことはできません)",
                        "ご登録、ご同意、メールの配信、配信停止、ご依頼、削除などの、種類と日時と結果",
                        "そのときにお見せした文の番号と、その照合用の値(ハッシュ値)",
                        "障害から復旧するための控え(バックアップ)にある写し。最長35日で自動的に消えます",
                    ),
                ),
                Section(
                    "残した理由",
                    (
                        "削除したあとで、名簿の取り込みなどにより、まちがってふたたびメールをお送りしないようにするため",
                        "ご同意をいただいていたことを、あとから証明できるようにするため(特定電子メール法 施行規則4条により、同意の記録を保存する義務があります)",
                        "そのほかの個人情報は、個人情報保護法22条・35条にもとづいて削除しました",
                    ),
                ),
            ),
            after=(
                "今後、ご案内メールをお送りすることはありません。ご自身であらためてご登録されたときは、新しいご登録として扱います。",
            ),
            brief=(
                "ご依頼の登録内容の削除が、{at}(日本時間)に完了しました。削除した記録は{events}件、メールは{mails}通、ご依頼などは{cases}件です。",
                "ふたたびメールをお送りしないため、またご同意を証明するため(特定電子メール法 施行規則4条)、メールアドレスから計算した符号、手続きの種類と日時、お見せした文のハッシュ値を残しています。復旧用の控えの写しは、最長35日で消えます。",
            ),
        ),
        Said(
            subject="Your data have been erased (certificate of erasure)",
            lead=(
                "The erasure you asked for was completed on {at}. This e-mail is the certificate. Please keep it.",
                "Address that was erased: {masked}",
            ),
            sections=(
                Section(
                    "What was erased",
                    (
                        "E-mail address, what was entered in forms, where it was sent from, and everything else that is personal in this number of records: {events}",
                        "E-mails you sent us, originals and texts: {mails}",
                        "What is personal in this number of requests and inquiries: {cases}. The address this e-mail was sent to is erased once it is sent",
                    ),
                ),
                Section(
                    "What is kept",
                    (
                        "A code made from the address with a secret key (the address cannot be made from the code)",
                        "Kinds, times and results of registrations, consents, e-mails sent, unsubscribes, requests and the erasure",
                        "Numbers of the texts that were shown then, and their check values (hashes)",
                        "Copies in backups that are for recovery from a failure; they vanish by themselves within 35 days",
                    ),
                ),
                Section(
                    "Why it is kept",
                    (
                        "So that no import of a list or the like can bring our e-mails back to you by mistake",
                        "So that your consent can still be proved (the Act on Regulation of Transmission of Specified Electronic Mail, Ordinance art. 4, obliges us to keep a record)",
                        "All other personal data were erased under the Act on the Protection of Personal Information, art. 22 and 35",
                    ),
                ),
            ),
            after=(
                "We will not send you our e-mails any more. Should you register again yourself, that counts as a new registration.",
            ),
            brief=(
                "The erasure you asked for was completed on {at}. Erased: personal data of {events} records, {mails} e-mails and {cases} requests.",
                "Kept, so that our e-mails cannot come back by mistake and your consent can be proved (Ordinance on Specified Electronic Mail, art. 4): a code made from the address, kinds and times, and hashes of the texts shown. Copies in backups vanish within 35 days.",
            ),
        ),
    ),
    "stop_use_done": Pair(
        Said(
            subject="利用停止のお手続きが終わりました",
            lead=(
                "ご依頼いただいた利用停止のお手続きが終わりました。{company}からご案内メールをお送りすることはありません。",
                "停止したメールアドレス: {masked}",
            ),
            after=(
                "停止を守りつづけるため、メールアドレスとお手続きの記録は保管します。これらの削除もご希望のときは、その旨をこのメールに返信してお知らせください。",
            ),
            brief=(
                "ご依頼の利用停止のお手続きが終わりました。ご案内メールをお送りすることはありません。",
            ),
        ),
        Said(
            subject="We no longer use your data",
            lead=(
                "As you asked, we no longer use your data: {company} will not send you its e-mails.",
                "Address that was stopped: {masked}",
            ),
            after=(
                "To make sure of that, we keep the address and the record of your request. If you want these erased as well, please reply to this e-mail and say so.",
            ),
            brief=("As you asked, we no longer use your data, and will not send you our e-mails.",),
        ),
    ),
    "refused": Pair(
        Said(
            subject="ご依頼へのお返事",
            lead=(
                "{wish}について、担当者が確認いたしました。申し訳ございませんが、ご希望にそうことができません。",
                "理由は、次のとおりです。",
                "{text}",
            ),
            after=(
                "ご納得いただけないときや、ご不明な点があるときは、このメールに返信してお知らせください。個人情報保護委員会の相談窓口にご相談いただくこともできます。",
            ),
            brief=(
                "ご希望にそうことができません。理由は上に書いたとおりです。ご不明な点は、このメールに返信してお尋ねください。",
            ),
        ),
        Said(
            subject="Answer to your request",
            lead=(
                "Our staff considered your {wish}. We are sorry that we cannot do what you asked.",
                "The reason:",
                "{text}",
            ),
            after=(
                "If you do not agree, or if anything is unclear, please reply to this e-mail. You may also turn to the Personal Information Protection Commission of Japan or to your own supervisory authority.",
            ),
            brief=(
                "We are sorry that we cannot do what you asked; the reason is given above. Please reply to this e-mail if anything is unclear.",
            ),
        ),
    ),
    "done": Pair(
        Said(
            subject="お手続きが終わりました",
            lead=("{wish}について、対応が終わりましたのでお知らせいたします。", "{text}"),
            brief=("対応が終わりましたので、お知らせいたします。",),
        ),
        Said(
            subject="Your request is done",
            lead=("We are pleased to tell you that your {wish} has been dealt with.", "{text}"),
            brief=("What you wrote to us about has been dealt with.",),
        ),
    ),
    "staff": Pair(
        Said(subject="お問い合わせへのお返事", lead=("{text}",), brief=()),
        Said(subject="Our answer to your e-mail", lead=("{text}",), brief=()),
    ),
}
