"""What is wrong with a mail before it is sent: named rules; errors block, warnings show.

The rules look at the parts as a recipient gets them, not at how they were made: whatever goes
wrong on the way (a setting left empty, a text part edited by hand) is seen here. Each rule is a
function that yields what it found; ``RULES`` lists them, and ``docs/mail-rules.md`` explains.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from email.header import decode_header, make_header
from email.utils import parseaddr
from enum import StrEnum
from html.parser import HTMLParser
from ipaddress import ip_address
from urllib.parse import urlsplit

from shared.domain.company import Company
from shared.domain.errors import Unprocessable
from shared.mail import markdown, variables
from shared.mail.compose import NO_VALUES, Composer
from shared.mail.content import Content
from shared.mail.markdown import Anchor, Body, Image
from shared.texts import consent
from shared.texts.consent import TextId


class Severity(StrEnum):
    """An error blocks sending, a warning is shown."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing a rule found, in which field of the campaign (or ``company``, ``sender``)."""

    rule: str
    severity: Severity
    ja: str
    en: str
    field: str


@dataclass(frozen=True, slots=True)
class Rendered:
    """A mail as a recipient without any values gets it, and where it comes from."""

    content: Content
    body: Body
    company: Company
    mail_domain: str
    verified_domains: frozenset[str] | None
    sender: str
    reply_to: str
    link: str
    subject: str
    text: str
    html: str

    @property
    def author_field(self) -> str:
        """Where the text part comes from."""
        return "text" if self.content.text.strip() else "body"


Found = Iterator[tuple[str, str]]
"""What a rule yields: the field, and what is wrong there."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule: its name, whether it blocks, its sentence, and how it looks."""

    name: str
    severity: Severity
    ja: str
    en: str
    find: Callable[[Rendered], Found]

    def findings(self, mail: Rendered) -> Iterator[Finding]:
        """What this rule has to say, each thing once."""
        for field, what in dict.fromkeys(self.find(mail)):
            yield Finding(
                self.name,
                self.severity,
                self.ja.format(what=what),
                self.en.format(what=what),
                field,
            )


def lint(
    content: Content, composer: Composer, *, verified_domains: frozenset[str] | None
) -> list[Finding]:
    """Everything wrong with ``content`` as ``composer`` sends it, errors first.

    ``verified_domains``: what SES lets this account send from; None where it could not be asked.
    """
    try:
        mail = render(content, composer, verified_domains)
    except Unprocessable as problem:
        return [
            Finding(VARIABLE, Severity.ERROR, wrong.ja, wrong.en, field)
            for field, wrong in problem.fields.items()
        ]
    return inspect(mail)


def inspect(mail: Rendered) -> list[Finding]:
    """What every rule finds in a mail, errors first."""
    found = [finding for rule in RULES for finding in rule.findings(mail)]
    return sorted(found, key=lambda finding: finding.severity is not Severity.ERROR)


def render(
    content: Content, composer: Composer, verified_domains: frozenset[str] | None
) -> Rendered:
    """The mail the rules look at.

    Raises:
        Unprocessable: the content's variables are wrong.
    """
    template = composer.template(content)
    token = "A" * 54  # as long as a real one
    subject, text, html = template.fill(template.data(token, NO_VALUES))
    body = variables.replace(
        variables.lines(content.body), "body", lambda use: use.default or "", {}
    )
    return Rendered(
        content=content,
        body=markdown.convert(body),
        company=composer.company,
        mail_domain=composer.mail_domain,
        verified_domains=verified_domains,
        sender=composer.sender,
        reply_to=composer.reply_to,
        link=f"{composer.public_url}/u/{token}",
        subject=subject,
        text=text,
        html=html,
    )


# ---- what a reader sees of the HTML part ----


class _Page(HTMLParser):
    """The words, links and pictures of a page; pictures' words are not among the words."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.flow: list[tuple[str, str]] = []  # ("words" | "link", value)
        self.images: list[Image] = []
        self._hidden = ""
        self.feed(source)
        self.close()

    @property
    def words(self) -> str:
        return _squeezed("".join(value for kind, value in self.flow if kind == "words"))

    @property
    def targets(self) -> list[str]:
        return [value for kind, value in self.flow if kind == "link"]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        held = {name: value or "" for name, value in attrs}
        if tag in {"title", "style"}:
            self._hidden = tag
        elif tag == "a":
            self.flow.append(("link", held.get("href", "")))
        elif tag == "img":
            self.images.append(Image(held.get("alt", ""), held.get("src", "")))

    def handle_endtag(self, tag: str) -> None:
        if tag == self._hidden:
            self._hidden = ""

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.flow.append(("words", data))


def _squeezed(text: str) -> str:
    return "".join(text.split())


# ---- 特定電子メール法 4条, 規則 7・9条 ----


def _items(mail: Rendered) -> list[tuple[str, str]]:
    """What must be there as text in both parts, and what it is called."""
    notice = consent.current(TextId.UNSUBSCRIBE_NOTICE)
    company = mail.company
    return [
        ("送信者の名称", company.name),
        ("送信者の名称(英語)", company.name_en),
        ("住所", company.address),
        ("苦情・問い合わせ先", company.contact),
        ("配信停止の案内文", notice.ja),
        ("配信停止の案内文(英語)", notice.en),
        ("返信先", mail.reply_to),
    ]


def _missing(mail: Rendered) -> list[tuple[str, str, str]]:
    """Part, item and wording of whatever mandatory is not among the words of a part."""
    page = _Page(mail.html)
    parts = (("HTML", page.words), ("テキスト", _squeezed(mail.text)))
    missing = [
        (part, item, words)
        for part, seen in parts
        for item, words in _items(mail)
        if not words.strip() or _squeezed(words) not in seen
    ]
    missing += [("HTML", "配信停止のリンク", "")] * (mail.link not in page.targets)
    missing += [("テキスト", "配信停止のリンク", "")] * (mail.link not in mail.text.split())
    return missing


def _pictured(mail: Rendered, words: str) -> bool:
    return bool(words.strip()) and any(
        _squeezed(words) in _squeezed(image.alt) for image in _Page(mail.html).images
    )


def item_missing(mail: Rendered) -> Found:
    """Sender, address, complaints, wording, link and reply address, word for word."""
    for part, item, words in _missing(mail):
        if not _pictured(mail, words):
            yield (
                "company" if not words.strip() and "リンク" not in item else "body",
                f"{item}({part})",
            )


def item_in_image(mail: Rendered) -> Found:
    """規則7条2項: a picture does not count."""
    for part, item, words in _missing(mail):
        if _pictured(mail, words):
            yield "body", f"{item}({part})"


def notice_apart(mail: Rendered) -> Found:
    """規則9条: that one can refuse, right before where to refuse."""
    notice = consent.current(TextId.UNSUBSCRIBE_NOTICE)
    flow = [(kind, value) for kind, value in _Page(mail.html).flow if value.strip()]
    for words in (notice.ja, notice.en):
        after = [flow[n + 1 : n + 2] for n, (_, value) in enumerate(flow) if value.strip() == words]
        if after and [("link", mail.link)] not in after:
            yield "body", "HTML"
        if words in mail.text and not re.search(
            rf"{re.escape(words)}\s*\n[^\n]{{0,20}}{re.escape(mail.link)}(?!\S)", mail.text
        ):
            yield mail.author_field, "テキスト"


_LABELS = re.compile(
    r"^[>\s]*(?:配信停止|Unsubscribe|送信者 / Sender|住所 / Address|お問い合わせ・苦情 / Contact)"
    r"\s*[:：]",
    re.MULTILINE,
)


def footer_repeated(mail: Rendered) -> Found:
    """The footer is added to every mail; a second one would contradict it sooner or later."""
    notice = consent.current(TextId.UNSUBSCRIBE_NOTICE)
    for field, written in (("body", mail.body.text), ("text", mail.content.text)):
        if match := _LABELS.search(written):
            yield field, match[0].strip()
        if _squeezed(notice.ja) in _squeezed(written):
            yield field, notice.ja


# ---- who sends ----


def sender_forged(mail: Rendered) -> Found:
    """法5条: From is the company at its own mail domain, and replies go there."""
    words, address = parseaddr(mail.sender)
    shown = str(make_header(decode_header(words)))
    for used in (address, mail.reply_to):
        if used.rpartition("@")[2].lower() != mail.mail_domain.lower():
            yield "sender", used
    if shown != mail.company.name or "@" in shown:
        yield "sender", shown


def sender_unverified(mail: Rendered) -> Found:
    """SES sends only from a domain (or its parent) that is verified."""
    domain = _sender_domain(mail)
    parents = {domain[n:] for n in range(len(domain)) if n == 0 or domain[n - 1] == "."}
    verified = mail.verified_domains
    if verified is not None and not parents & {each.lower() for each in verified}:
        yield "sender", domain


def sender_unchecked(mail: Rendered) -> Found:
    """Whoever only writes goes on; approving and sending wait until SES has answered."""
    if mail.verified_domains is None:
        yield "sender", _sender_domain(mail)


def _sender_domain(mail: Rendered) -> str:
    return parseaddr(mail.sender)[1].rpartition("@")[2].lower()


# ---- subject and size ----


def subject_empty(mail: Rendered) -> Found:
    """A subject without words."""
    if not mail.subject.strip():
        yield "subject", ""


def subject_over_100(mail: Rendered) -> Found:
    """As it arrives, defaults filled in."""
    if len(mail.subject) > 100:
        yield "subject", str(len(mail.subject))


def subject_long(mail: Rendered) -> Found:
    """A telephone shows 20 to 40 characters."""
    if 40 < len(mail.subject) <= 100:
        yield "subject", str(len(mail.subject))


def _size(mail: Rendered) -> int:
    return len((mail.subject + mail.text + mail.html).encode())


def size_over_100kb(mail: Rendered) -> Found:
    """Gmail cuts a mail off there, and the unsubscribe link with it."""
    if _size(mail) > 100_000:
        yield "body", f"{_size(mail) / 1000:.0f}"


def size_over_80kb(mail: Rendered) -> Found:
    """Close to it: values come on top."""
    if 80_000 < _size(mail) <= 100_000:
        yield "body", f"{_size(mail) / 1000:.0f}"


# ---- links ----

_URL = re.compile(r"https?://[!-~]+", re.IGNORECASE)


def _targets(mail: Rendered) -> Iterator[tuple[str, str]]:
    """Every address the mail leads to or loads, and the field it was written in."""
    page = _Page(mail.html)
    authors = {a.target for a in mail.body.links} | {i.source for i in mail.body.images}
    for target in page.targets + [image.source for image in page.images]:
        yield "body" if target in authors else "company", target
    for found in _URL.findall(mail.text):
        url = found.rstrip(").,;>]")
        own = url in mail.content.text
        yield "text" if own else "body" if url in mail.body.text else "company", url


def link_insecure(mail: Rendered) -> Found:
    """http can be read and changed on the way. A stack on one's own machine has nothing else."""
    for field, target in _targets(mail):
        if target.lower().startswith("http:") and not (target == mail.link and _is_local(target)):
            yield field, target


def _is_local(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def link_refused(mail: Rendered) -> Found:
    """Not https, http or mailto (or half an address): it loses its link when composed."""
    for target in mail.body.refused:
        yield "body", variables.one_line(target)[:80] or "(空)"


def link_mailto(mail: Rendered) -> Found:
    """Needs a mail program; the reply address is in the footer anyway."""
    for anchor in mail.body.links:
        if anchor.target.lower().startswith("mailto:"):
            yield "body", anchor.target


_ADDRESS_IN_WORDS = re.compile(r"[\w.+-]+@((?:[\w-]+\.)+[\w-]+)")
_HOST_IN_WORDS = re.compile(
    r"(?:https?://|(?<![\w.@-])(?=www\.))([^\s/?#:、。()「」<>]+)"
    r"|^((?:[\w-]+\.)+(?:jp|com|net|org|info|biz|io|dev|app|tokyo))(?=[/?#:]|$)",
    re.IGNORECASE,
)


def link_other_host(mail: Rendered) -> Found:
    """Words that name one site and a link to another are what phishing looks like."""
    for anchor in mail.body.links:
        parts = urlsplit(anchor.target)
        is_mail = parts.scheme == "mailto"
        leads_to = parts.path.rpartition("@")[2] if is_mail else parts.hostname or ""
        named = _named_hosts(anchor)
        if (parts.username is not None and not is_mail) or any(
            not _same_site(host, leads_to) for host in named
        ):
            yield "body", f"{anchor.words} → {anchor.target}"


def _named_hosts(anchor: Anchor) -> list[str]:
    words = unicodedata.normalize("NFKC", anchor.words[:500]).strip()
    found = [match[1] for match in _ADDRESS_IN_WORDS.finditer(words)]
    words = _ADDRESS_IN_WORDS.sub("", words)
    return found + [match[1] or match[2] for match in _HOST_IN_WORDS.finditer(words)]


def _same_site(named: str, leads_to: str) -> bool:
    one, other = _ascii(named), _ascii(leads_to)
    return one == other or one.endswith(f".{other}") or other.endswith(f".{one}")


def _ascii(host: str) -> str:
    with suppress(UnicodeError):  # what is no name at all is no one's
        host = host.encode("idna").decode()
    return host.lower().rstrip(".").removeprefix("www.")


# ---- reading ----


def image_without_alt(mail: Rendered) -> Found:
    """Most mail programs show no pictures until asked; a screen reader never does."""
    for image in mail.body.images:
        if not image.alt.strip():
            yield "body", image.source


def image_only(mail: Rendered) -> Found:
    """A body that is nothing but pictures."""
    if mail.body.images and not mail.body.words.strip():
        yield "body", ""


def variable_without_default(mail: Rendered) -> Found:
    """An empty default is a decision, no default an oversight."""
    for field, source in (
        ("subject", mail.content.subject),
        ("body", mail.content.body),
        ("text", mail.content.text),
    ):
        for use in variables.uses(source):
            if use.default is None:
                yield field, f"{{{{{use.name}}}}}"


_MARKUP = re.compile(r"\*\*|__|\]\(|^#{1,6}(?=[^#\s])|^[*+-](?=[^\s*+-])", re.MULTILINE)


def markup_left(mail: Rendered) -> Found:
    """CommonMark does not see ``**「重要」**です`` as emphasis: the reader would see the stars."""
    for match in _MARKUP.finditer(mail.body.words):
        yield "body", match[0]


def text_lacks_link(mail: Rendered) -> Found:
    """A text part edited by hand that was left behind when the body changed."""
    for anchor in mail.body.links if mail.content.text.strip() else ():
        if anchor.target.removeprefix("mailto:") not in mail.text:
            yield "text", anchor.target


def variable_unknown(_mail: Rendered) -> Found:
    """Never here: a mail with one cannot be rendered; ``lint`` says so instead."""
    yield from ()


VARIABLE = "variable-unknown"
E, W = Severity.ERROR, Severity.WARNING
RULES: tuple[Rule, ...] = (
    Rule(
        VARIABLE, E,
        "差し込みが正しくありません。",
        "A variable is unknown, its braces do not match, or it is part of a link's address.",
        variable_unknown,
    ),
    Rule(
        "item-missing", E,
        "法律と規程で必要な項目がないか、書き換えられています: {what}",
        "A mandatory item is missing or altered: {what}",
        item_missing,
    ),
    Rule(
        "item-only-in-image", E,
        "必要な項目が画像の中にしかありません。文字で書いてください: {what}",
        "A mandatory item stands only in a picture; it must be text: {what}",
        item_in_image,
    ),
    Rule(
        "notice-apart", E,
        "配信停止の案内文のすぐあとに、配信停止のリンクがありません: {what}",
        "The unsubscribe link does not follow the unsubscribe wording: {what}",
        notice_apart,
    ),
    Rule(
        "footer-repeated", E,
        "署名と配信停止の案内は自動で付きます。本文からは消してください: {what}",
        "The footer is added to every mail; remove it from what you wrote: {what}",
        footer_repeated,
    ),
    Rule(
        "sender-forged", E,
        "差出人が、当社のメールのドメインと名称になっていません: {what}",
        "The sender is not the company at its own mail domain: {what}",
        sender_forged,
    ),
    Rule(
        "sender-unverified", E,
        "差出人のドメインが SES で認証されていません: {what}",
        "The sender's domain is not verified in SES: {what}",
        sender_unverified,
    ),
    Rule(
        "sender-unchecked", W,
        "差出人を SES で確認できませんでした。確認できるまで承認と送信はできません: {what}",
        "SES could not be asked about the sender; until it is, nothing is approved or sent: {what}",
        sender_unchecked,
    ),
    Rule(
        "subject-empty", E,
        "件名がありません。",
        "The subject is empty.",
        subject_empty,
    ),
    Rule(
        "subject-over-100", E,
        "件名が長すぎます({what}文字)。100文字以内にしてください。",
        "The subject has {what} characters; at most 100.",
        subject_over_100,
    ),
    Rule(
        "subject-long", W,
        "件名が{what}文字あります。スマートフォンでは40文字ほどまでしか表示されません。",
        "The subject has {what} characters; a telephone shows about 40.",
        subject_long,
    ),
    Rule(
        "size-over-100kb", E,
        "メールが大きすぎます({what} kB)。100 kB を超えると途中までしか表示されません。",
        "The mail has {what} kB; over 100 kB it is cut off by some mail programs.",
        size_over_100kb,
    ),
    Rule(
        "size-over-80kb", W,
        "メールが大きめです({what} kB)。100 kB まで送れます。",
        "The mail has {what} kB; at most 100.",
        size_over_80kb,
    ),
    Rule(
        "link-insecure", E,
        "リンク先や画像の場所が https ではありません: {what}",
        "A link or picture is not https: {what}",
        link_insecure,
    ),
    Rule(
        "link-refused", E,
        "このリンク先は使えません。https:// で始まる場所かメールアドレスにしてください: {what}",
        "This cannot be linked to; use an https address or a mail address: {what}",
        link_refused,
    ),
    Rule(
        "link-mailto", W,
        "メールアドレスへのリンクは、メールソフトがないと開けません: {what}",
        "A link to a mail address needs a mail program: {what}",
        link_mailto,
    ),
    Rule(
        "link-other-host", E,
        "リンクの文字とリンク先が別のサイトです。なりすましに見えます: {what}",
        "The link's words name another site than it leads to; it looks like phishing: {what}",
        link_other_host,
    ),
    Rule(
        "image-without-alt", W,
        "画像に説明がありません。![説明](場所) のように書いてください: {what}",
        "A picture has no description; write ![description](address): {what}",
        image_without_alt,
    ),
    Rule(
        "image-only", W,
        "本文が画像だけです。画像を表示しない人には何も読めません。",
        "The body is nothing but pictures; most people see none of it at first.",
        image_only,
    ),
    Rule(
        "variable-without-default", W,
        "差し込みに、値がないときの言葉がありません。空白になります: {what}",
        "A variable has no default; it will be empty for some: {what}",
        variable_without_default,
    ),
    Rule(
        "markup-left", W,
        "装飾の記号がそのまま表示されます。記号の前後に空白を入れてください: {what}",
        "Markup will be seen as it is; put spaces around it: {what}",
        markup_left,
    ),
    Rule(
        "text-lacks-link", W,
        "手で直したテキストに、本文のリンクがありません: {what}",
        "The hand-edited text lacks a link of the body: {what}",
        text_lacks_link,
    ),
)  # fmt: skip
