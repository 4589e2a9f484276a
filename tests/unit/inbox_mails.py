"""Mail as programs really write it, as bytes; and what a person wrote in it."""

# ruff: noqa: E501 (a mail is not broken for the editor's sake)
from __future__ import annotations

import base64
import quopri
from dataclasses import dataclass

TOKEN = "azF" + "Tok-En_9" * 6 + "Ab0"
OTHER = "azF" + "oTHEr-5_" * 6 + "Cd1"
# ISO-2022-JP by hand, rows of NEC and IBM among them: ①㈱髙～－ and half-width ｶﾅ.
VENDOR_JIS = b"\x1b$B-!-j|b!A!]\x1b(I6E\x1b(B"
VENDOR = "①㈱髙～－ｶﾅ"


def mail(
    body: bytes | str,
    *,
    content_type: str = "text/plain; charset=utf-8",
    encoding: str = "8bit",
    subject: bytes = b"Re: =?utf-8?B?44GK55+l44KJ44Gb?=",
    sender: bytes = b"=?utf-8?B?5bGx55Sw5aSq6YOO?= <taro@example.jp>",
    more: bytes = b"",
) -> bytes:
    """A message of one part, or whose parts are written out in the body."""
    data = body.encode() if isinstance(body, str) else body
    return b"".join(
        [
            b"Return-Path: <taro@example.jp>\r\n",
            (
                b"Received: from mail.example.jp (mail.example.jp [192.0.2.1])\r\n"
                b"\tby inbound-smtp.example with ESMTPS id abc;\r\n\tTue, 24 Nov 2026 01:00:00 +0000\r\n"
            ),
            b"Date: Tue, 24 Nov 2026 10:00:00 +0900\r\nFrom: " + sender + b"\r\n",
            b"To: reply@mail.example.jp\r\nMessage-ID: <20261124@example.jp>\r\n",
            b"Subject: " + subject + b"\r\nMIME-Version: 1.0\r\n" + more,
            f"Content-Type: {content_type}\r\n".encode(),
            f"Content-Transfer-Encoding: {encoding}\r\n\r\n".encode(),
            data.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"),
        ]
    )


def part(body: bytes | str, content_type: str = "text/plain; charset=utf-8", more: str = "") -> str:
    """One part, for ``parts``."""
    text = body if isinstance(body, str) else body.decode("latin-1")
    return f"Content-Type: {content_type}\n{more}\n{text}\n"


def parts(*each: str, boundary: str = "=_b1") -> str:
    """A multipart's body."""
    return "".join(f"--{boundary}\n{one}" for one in each) + f"--{boundary}--\n"


def multipart(kind: str, *each: str, parameters: str = "") -> bytes:
    """A whole message of several parts."""
    return mail(parts(*each), content_type=f'multipart/{kind}; boundary="=_b1"{parameters}')


def nested(kind: str, *each: str, boundary: str = "=_b2") -> str:
    """A multipart as a part."""
    return part(parts(*each, boundary=boundary), f'multipart/{kind}; boundary="{boundary}"')


@dataclass(frozen=True)
class Sample:
    """A message: what must be among its words exactly, and what must be among the quotations."""

    raw: bytes
    words: str
    quoted: tuple[str, ...] = ()


FOOTER = f"配信停止はこちら https://mail.example.jp/u/{TOKEN}"
OURS = f"秋のお知らせです。\n\n{FOOTER}"
MARKED = "\n".join(f"> {line}" for line in OURS.split("\n"))
HTML_OURS = (
    f'<p>秋のお知らせです。</p><a href="https://mail.example.jp/u/{TOKEN}">配信停止はこちら</a>'
)


def html(body: str) -> bytes:
    """A message that has nothing but HTML, in base64 as phones send it."""
    return mail(
        base64.encodebytes(
            f"<html><head><style>p {{}}</style></head><body>{body}</body></html>".encode()
        ),
        content_type="text/html; charset=UTF-8",
        encoding="base64",
    )


SAMPLES: dict[str, Sample] = {
    "gmail_ja": Sample(
        mail(
            "配信を停止してください。\n\n2026年11月24日(火) 10:00 さくら市のお知らせ <news@mail.example.jp>:\n\n"
            + MARKED
        ),
        "配信を停止してください。",
        (FOOTER, "秋のお知らせです。"),
    ),
    "gmail_ja_no_blank_line": Sample(
        mail("停止希望\n2026年11月24日(火) 10:00 お知らせ <news@mail.example.jp>:\n" + MARKED),
        "停止希望",
        (FOOTER,),
    ),
    "gmail_ja_broken_introduction": Sample(
        mail(
            "停止で。\n\n2026年11月24日(火) 10:00 さくら市のお知らせの係\n<news@mail.example.jp>:\n\n"
            + MARKED
        ),
        "停止で。",
        ("さくら市のお知らせの係", FOOTER),
    ),
    "gmail_en": Sample(
        mail(
            "Please unsubscribe me.\n\nOn Tue, Nov 24, 2026 at 10:00 AM Sakura City News and Announcements\n"
            "<news@mail.example.jp> wrote:\n\n" + MARKED
        ),
        "Please unsubscribe me.",
        (FOOTER,),
    ),
    "gmail_html": Sample(
        html(
            '<div dir="ltr">もう送らないでください。<br>よろしくお願いします。</div><br>'
            '<div class="gmail_quote gmail_quote_container"><div dir="ltr" class="gmail_attr">'
            "2026年11月24日(火) 10:00 お知らせ &lt;news@mail.example.jp&gt;:<br></div>"
            f'<blockquote class="gmail_quote" style="margin:0">{HTML_OURS}</blockquote></div>'
        ),
        "もう送らないでください。\nよろしくお願いします。",
        ("配信停止はこちら",),
    ),
    "gmail_html_between": Sample(
        html(
            '<div class="gmail_quote"><div class="gmail_attr">2026年11月24日(火) 10:00 X &lt;x@y.jp&gt;:</div>'
            "<blockquote>配信停止はこちら</blockquote><div>これは何ですか。</div>"
            "<blockquote>秋のお知らせ</blockquote></div>"
        ),
        "これは何ですか。",
        ("配信停止はこちら", "秋のお知らせ"),
    ),
    "gmail_html_forward": Sample(
        html(
            "<div>ご確認ください</div><div class=gmail_quote><div class=gmail_attr>"
            "---------- Forwarded message ---------<br>差出人: X<br></div>"
            f"{HTML_OURS}</div>"
        ),
        "ご確認ください",
        ("配信停止はこちら",),
    ),
    "apple_ja": Sample(
        mail(
            "停止してください\n\niPhoneから送信\n\n"
            "2026/11/24 10:00、さくら市 <news@mail.example.jp>のメール:\n\n"
            + MARKED.replace("> ", "> \ufeff")
        ),
        "停止してください",
        ("iPhoneから送信", FOOTER),
    ),
    "apple_ja_full_width_colon": Sample(
        mail("停止\n\n2026/11/24 10:00、さくら市のメール：\n\n" + MARKED), "停止", (FOOTER,)
    ),
    "apple_en": Sample(
        mail(
            "Stop.\n\nSent from my iPhone\n\n"
            "> On Nov 24, 2026, at 10:00, Sakura City <news@mail.example.jp> wrote:\n> \n" + MARKED
        ),
        "Stop.",
        ("Sent from my iPhone", FOOTER),
    ),
    "apple_html": Sample(
        html(
            "<div>解除希望</div><div><br></div><div>iPhoneから送信</div><div><br>"
            "<blockquote type=cite>2026/11/24 10:00、さくら市のメール:<br><br></blockquote></div>"
            f"<blockquote type=cite>{HTML_OURS}</blockquote>"
        ),
        "解除希望",
        ("配信停止はこちら",),
    ),
    "outlook_ja": Sample(
        mail(
            "お世話になっております。\n登録を解除してください。\n\n"
            "差出人: さくら市 <news@mail.example.jp>\n送信日時: 2026年11月24日火曜日 10:00\n"
            "宛先: 山田太郎 <taro@example.jp>\n件名: お知らせ\n\n" + OURS
        ),
        "お世話になっております。\n登録を解除してください。",
        (FOOTER,),
    ),
    "outlook_ja_bold": Sample(
        mail(
            "解除お願いします\n\n*差出人:* さくら市\n*送信日時:* 2026年11月24日\n*宛先:* 山田\n*件名:* お知らせ\n\n"
            + OURS
        ),
        "解除お願いします",
        (FOOTER,),
    ),
    "outlook_en": Sample(
        mail(
            "Please take me off this list.\n\n________________________________\nFrom: Sakura City\n"
            "Sent: Tuesday, November 24, 2026 10:00 AM\nTo: Taro\nSubject: News\n\n" + OURS
        ),
        "Please take me off this list.",
        (FOOTER,),
    ),
    "outlook_html_web": Sample(
        html(
            '<div>やめてください</div><div id="appendonsend"></div><hr>'
            '<div id="divRplyFwdMsg"><b>差出人:</b> さくら市<br><b>件名:</b> お知らせ</div>'
            f"<div>{HTML_OURS}</div>"
        ),
        "やめてください",
        ("配信停止はこちら",),
    ),
    "outlook_html_windows": Sample(
        html(
            '<p class=MsoNormal>不要です<o:p></o:p></p><div style="border:none;border-top:solid #E1E1E1 1.0pt">'
            f"<p class=MsoNormal><b>From:</b> X<br></p></div><p>{HTML_OURS}</p>"
        ),
        "不要です",
        ("配信停止はこちら",),
    ),
    "outlook_phone": Sample(
        mail(
            "停止\n\nOutlook for iOS を入手\n________________________________\n差出人: さくら市 <n@x.jp>\n送信日時: 火曜日\n宛先: x\n件名: y\n"
            + OURS
        ),
        "停止",
        (FOOTER, "Outlook for iOS"),
    ),
    "samsung": Sample(
        mail(
            "stop\n\n\nSent from my Galaxy\n\n-------- Original message --------\nFrom: X <n@x.jp>\nDate: 11/24/26 10:00 AM (GMT+09:00)\nTo: x\nSubject: y\n\n"
            + OURS
        ),
        "stop",
        (FOOTER,),
    ),
    "yahoo_ja_new": Sample(
        mail("停止\n\n2026年11月24日(火) 10:00 +0900、 さくら市 <n@x.jp>：\n" + MARKED),
        "停止",
        (FOOTER,),
    ),
    "unmarked_history": Sample(
        mail("停止\n\n2026年11月24日(火) 10:00 さくら市 <n@x.jp>:\n" + OURS), "停止", (FOOTER,)
    ),
    "above_and_below": Sample(
        mail(f"上\n\n2026年11月24日(火) 10:00 X <x@y.jp>:\n\n{MARKED}\n\n下"), "上\n\n下", (FOOTER,)
    ),
    "quotation_in_quotation": Sample(
        mail(
            "OK\n\nOn Tue, X <x@y.jp> wrote:\n> a\n>\n> On Mon, Z <z@y.jp> wrote:\n>> b\n\nbottom"
        ),
        "OK\n\nbottom",
        ("On Mon",),
    ),
    "a_colon_introduces_little": Sample(
        mail("以下のメール:\n\nについて。\nI wrote to you:\nplease delete\n"),
        "以下のメール:\n\nについて。\nI wrote to you:\nplease delete",
    ),
    "english_history_without_marks": Sample(
        mail("Please delete my data.\n\nSent: Tuesday\nTo: Taro\nSubject: News\n\n" + OURS),
        "Please delete my data.",
        (FOOTER,),
    ),
    "original_message": Sample(
        mail("Stop please\n\n-----Original Message-----\nFrom: News\nSubject: News\n\n" + OURS),
        "Stop please",
        (FOOTER,),
    ),
    "original_message_ja": Sample(
        mail("不要です\n\n----- 元のメッセージ -----\n" + OURS), "不要です", (FOOTER,)
    ),
    "yahoo_ja": Sample(
        mail(
            "配信不要です。\n\n----- Original Message -----\nFrom: news@mail.example.jp\nTo: taro@yahoo.example\n"
            "Date: 2026-11-24 10:00:00\nSubject: お知らせ\n\n" + OURS
        ),
        "配信不要です。",
        (FOOTER,),
    ),
    "docomo": Sample(
        mail(
            "停止\n\n--- さくら市 <news@mail.example.jp> wrote ---\n"
            + "\n".join(f">{line}" for line in OURS.split("\n")),
            sender=b'"taro..y."@docomo.ne.jp',
        ),
        "停止",
        (FOOTER,),
    ),
    "docomo_full_width_marks": Sample(
        mail("停止して\n" + MARKED.replace("> ", "＞")), "停止して", (FOOTER,)
    ),
    "thunderbird_ja": Sample(
        mail(
            "2026/11/24 10:00、さくら市 さんは書きました:\n"
            + MARKED
            + "\n\n下に書きます。停止希望。"
        ),
        "下に書きます。停止希望。",
        (FOOTER,),
    ),
    "becky": Sample(
        mail(
            "停止希望です。\n\nOn Tue, 24 Nov 2026 10:00:00 +0900\nさくら市 <news@mail.example.jp> wrote:\n\n"
            + MARKED
        ),
        "停止希望です。",
        (FOOTER,),
    ),
    "al_mail": Sample(
        mail("さくら市さんは書きました：\n" + MARKED + "\n\n了解です。"), "了解です。", (FOOTER,)
    ),
    "between_quotations": Sample(
        mail("> 市民講座のご案内\n\n参加できません。\n\n> " + FOOTER + "\n\nまた今度。\n"),
        "参加できません。\n\nまた今度。",
        (FOOTER,),
    ),
    "quotation_broken_on_the_way": Sample(
        mail(
            "ありがとう\n\n> "
            "このメールはご登録された方に配信しています。停止をご希望の方は\n停止\n> の窓口へ\n"
        ),
        "ありがとう",
        ("停止\n> の窓口へ",),
    ),
    "forwarded_en": Sample(
        mail("FYI\n\nBegin forwarded message:\n\nFrom: News\nSubject: News\n\n" + OURS),
        "FYI",
        (FOOTER,),
    ),
    "forwarded_ja": Sample(
        mail("転送します\n\n転送されたメッセージ:\n\n差出人: X\n件名: お知らせ\n\n" + OURS),
        "転送します",
        (FOOTER,),
    ),
    "forwarded_only": Sample(
        mail("---------- Forwarded message ---------\nFrom: X\nDate: today\nSubject: y\n\n" + OURS),
        "",
        (FOOTER,),
    ),
    "signature_rfc": Sample(
        mail("退会します。\n-- \n山田太郎\n配信停止ドットコム 03-1234-5678\n"),
        "退会します。",
        ("山田太郎",),
    ),
    "signature_ja": Sample(
        mail(
            "開示を請求します。\n\n――――――――――――\n株式会社サンプル\n山田太郎\nTEL: 03-1234-5678\n――――――――――――\n"
        ),
        "開示を請求します。",
        ("TEL: 03-1234-5678",),
    ),
    "signature_stars": Sample(
        mail("教えてください。\n*:;;;:*:;;;:*\n山田 taro@example.jp\n".replace(":;;;:", "****")),
        "教えてください。",
        ("山田",),
    ),
    "signature_en": Sample(
        mail("I want a copy of my data.\n\nBest regards,\nTaro Yamada\n"),
        "I want a copy of my data.",
        ("Taro Yamada",),
    ),
    "thanks_is_no_signature": Sample(
        mail("Hi,\nThanks, but please stop sending these.\n"),
        "Hi,\nThanks, but please stop sending these.",
    ),
    "thanks_before_the_request": Sample(
        mail("Hello\nThanks,\nplease remove me\n"), "Hello\nThanks,\nplease remove me"
    ),
    "request_below_a_line": Sample(
        mail(
            "下記の通りです。\n----------\n氏名 山田\nメール taro@example.jp\n内容 削除希望\n----------\n"
        ),
        "下記の通りです。\n----------\n氏名 山田\nメール taro@example.jp\n内容 削除希望",
    ),
    "list_is_no_signature": Sample(
        mail("お願い:\n- 名前の訂正\n- 配信停止\n"), "お願い:\n- 名前の訂正\n- 配信停止"
    ),
    "signature_alone": Sample(mail("-- \n山田太郎\n"), "-- \n山田太郎"),
    "sent_from_alone": Sample(mail("iPhoneから送信\n"), "iPhoneから送信"),
    "sent_by_form_is_no_signature": Sample(
        mail("先ほどフォームから送信しました。\n"), "先ほどフォームから送信しました。"
    ),
    "warning_is_no_disclaimer": Sample(
        mail("Warning: stop your mail or else\n"), "Warning: stop your mail or else"
    ),
    "several_lines": Sample(mail("一行目\n\n\n\n\n二行目   \n"), "一行目\n\n二行目"),
    "alternative": Sample(
        multipart(
            "alternative",
            part("停止希望\n\n" + MARKED),
            part(
                f"<div>別の文</div><blockquote>{HTML_OURS}</blockquote>", "text/html; charset=utf-8"
            ),
        ),
        "停止希望",
        (FOOTER,),
    ),
    "alternative_with_empty_plain": Sample(
        multipart("alternative", part(" \n"), part("<p>停止希望</p>", "text/html; charset=utf-8")),
        "停止希望",
    ),
    "mixed_with_alternative": Sample(
        multipart(
            "mixed",
            nested(
                "alternative",
                part("解除願います"),
                nested(
                    "related",
                    part("<p>解除</p><img src=cid:1>", "text/html"),
                    part(
                        "R0lGOD",
                        "image/gif",
                        "Content-ID: <1>\nContent-Transfer-Encoding: base64\n",
                    ),
                    boundary="=_b2_more",
                ),
            ),
            part("JVBERi0x", "application/pdf; name=a.pdf", "Content-Transfer-Encoding: base64\n"),
        ),
        "解除願います",
    ),
    "attached_text_is_not_read": Sample(
        multipart(
            "mixed",
            part("添付しました"),
            part(
                "停止して", more='Content-Disposition: attachment; filename="=?utf-8?Q?a?=.txt"\n'
            ),
        ),
        "添付しました",
    ),
    "attached_message": Sample(
        multipart("mixed", part("これは何?"), part(mail(OURS).decode(), "message/rfc822")),
        "これは何?",
    ),
    "flowed": Sample(
        mail(
            "配信停 \n止をお願 \nいします\n>  引用\n",
            content_type="text/plain; format=flowed; delsp=yes",
        ),
        "配信停止をお願いします",
        ("引用",),
    ),
    "quoted_printable": Sample(
        mail(quopri.encodestring(("停止してください" * 8).encode()), encoding="Quoted-Printable"),
        "停止してください" * 8,
    ),
    "html_pre": Sample(html("<pre>一\n二\n&gt; 三</pre>"), "一\n二", ("三",)),
    "html_script": Sample(
        html("<script>停止()</script><!-- 停止 --><p>a<b>b</b>c</p><p>d&amp;e</p>"), "abc\nd&e"
    ),
    "pgp_signed": Sample(
        mail(
            "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n\n開示希望\n-----BEGIN PGP SIGNATURE-----\n\n"
            "iQ==\n-----END PGP SIGNATURE-----\n"
        ),
        "開示希望",
    ),
}

DSN = multipart(
    "report",
    part("Delivery failed permanently.", "text/plain; charset=us-ascii"),
    part(
        "Reporting-MTA: dns; mail.example.jp\nArrival-Date: Tue, 24 Nov 2026 10:00:00 +0900\n\n"
        "Final-Recipient: rfc822; fine@example.jp\nAction: delivered\nStatus: 2.0.0\n\n"
        "Original-Recipient: rfc822;gone@example.jp\nFinal-Recipient: rfc822; gone@inner.example.jp\n"
        "Action: failed\nStatus: 5.1.1\nDiagnostic-Code: smtp; 550 5.1.1\n  User unknown\n\n"
        "Final-Recipient: rfc822; late@example.jp\nAction: delayed\nStatus: 4.4.1\n",
        "message/delivery-status",
    ),
    part(
        "Subject: =?utf-8?B?44GK?=\nTo: gone@example.jp\n"
        f"List-Unsubscribe: <https://mail.example.jp/u/{TOKEN[:20]}\n {TOKEN[20:]}>,\n"
        f" <mailto:stop+{TOKEN}@mail.example.jp>\n",
        "text/rfc822-headers",
    ),
    parameters="; report-type=delivery-status",
)


def feedback(kind: str) -> bytes:
    """A report by RFC 5965."""
    return multipart(
        "report",
        part("This is an email abuse report."),
        part(
            f"Feedback-Type: {kind}\nUser-Agent: SomeGenerator/1.0\nVersion: 1\n"
            "Original-Rcpt-To: <user@example.com>\n",
            "message/feedback-report",
        ),
        part(
            mail(
                f"<a href=https://mail.example.jp/u/{TOKEN}>x</a>", content_type="text/html"
            ).decode(),
            "message/rfc822",
        ),
        parameters="; report-type=feedback-report",
    )


def delivery(action: str, status: str, diagnostic: str = "") -> bytes:
    """A report by RFC 3464 of one recipient."""
    fields = f"Reporting-MTA: dns; a.example\n\nFinal-Recipient: rfc822; x@example.jp\nAction: {action}\n"
    fields += f"Status: {status}\n" if status else ""
    fields += f"Diagnostic-Code: {diagnostic}\n" if diagnostic else ""
    return multipart("report", part("Hm."), part(fields, "message/delivery-status"))


ALL = [
    *(sample.raw for sample in SAMPLES.values()),
    DSN,
    feedback("abuse"),
    delivery("failed", "5.0.0"),
]
