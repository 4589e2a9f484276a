"""What the person wrote, and what was there before: quotations, forwards, signatures.

Lines marked with > go first, together with the line that introduces them, so that answers above,
between and below quotations are all found. Then history without marks: what Japanese programs
put above it is known here, the rest is mailparser_reply's. Its rules for signatures are not
used: "Thanks, but please stop" is none.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from mailparser_reply.parser import EmailMessage  # type: ignore[import-untyped]

MAX_TEXT = 120_000  # characters that are looked at
MAX_WORDS = 20_000
# Its expressions take the square of a line's length, and more: what it gets is kept short.
MAX_LINE = 300
_JOINT = "\ue000\n\ue000"

_MARK = re.compile(r"[ \t\u3000]*[>＞]")
# Where a line was broken on its way, its tail lost the mark.
_WRAPPED = range(60, 82)
_ADDRESS = r"<[^<>\n]{1,100}@[^<>\n]{1,100}>"
_DATE = r"\d{4} ?[年/.-] ?\d{1,2} ?[月/.-] ?\d{1,2}"
# Enough to say that all that follows was written before. Programs break this line.
_INTRODUCES = re.compile(
    rf"[(（]?{_DATE}.{{0,20}}\d{{1,2}} ?[:：時].{{0,200}}"
    rf"(?:{_ADDRESS}|のメール|のメッセージ|さん(?:は|が)?(?:書きました|wrote)?|wrote|書きました)"
    r"[^:：]{0,10}[:：]"
    r"|On .{5,250}\bwrote ?[:：]"
    r"|In (?:message|article) <.{1,200}(?:wrote|writes) ?[:：]",
    re.IGNORECASE,
)
# So is this, on a line by itself.
_NAMES = re.compile(
    r".{1,100}(?:さん|様|氏)(?:は|が|の) ?(?:書きました|メール|メッセージ|wrote) ?[:：]",
    re.IGNORECASE,
)
# Said of the next line only when that is marked as a quotation.
_MAY_INTRODUCE = re.compile(
    rf".{{0,250}}(?:{_DATE}|{_ADDRESS}|wrote|writes|書き|メール|メッセージ|さん|@).{{0,100}}[:：]",
    re.IGNORECASE,
)
_LINE = r"[-－‐―—─=_*＊~+＋]{2,}"
_SEPARATOR = re.compile(
    rf"{_LINE}[ \u3000]*(?:begin )?(?:original|forwarded|forward|reply)\b[^-]{{0,40}}{_LINE}"
    rf"|{_LINE}[ \u3000]*(?:(?:元|もと|オリジナル)の?"
    r"|(?:転送|返信|引用|受信)(?:された|した|元の?)?)"
    rf"(?:メッセージ|メール|文)[^-－―—─]{{0,10}}{_LINE}"
    rf"|{_LINE}[ \u3000]*ここから(?:引用|転送)[^-－―—─]{{0,10}}{_LINE}"
    r"|begin forwarded message ?[:：]"
    r"|(?:転送された|元の|オリジナルの?|受信した)(?:メッセージ|メール) ?[:：]"
    r"|-{2,} ?(?:original|forwarded) (?:message|mail)\b.{0,60}"
    r"|[-－―—─]{2,}.{1,100}(?:wrote|書きました|からのメール)[:：]?[ ]*[-－―—─]{2,}",
    re.IGNORECASE,
)
_LABEL = re.compile(
    r"[ \t\u3000>*【\[]*(?P<from>from|差出人|送信者|送信元|発信者)?"
    r"(?(from)|(?:sent|送信日時|送信日|日時|日付|受信日時|date|to|宛先|送信先|cc|subject|件名|題名"
    r"|reply-to|返信先))[ \t\u3000*】\]]*[:：]",
    re.IGNORECASE,
)
_SENT_FROM = re.compile(
    r"[ \t]*(?:sent from (?:my |outlook|yahoo|mail for|samsung|proton).{0,80}"
    r"|get outlook for .{0,80}|sent (?:via|with) .{1,60}"
    r"|(?:私の ?)?(?:[a-z0-9 .!+-]{2,30}|スマートフォン|スマホ|携帯(?:電話)?|ドコモメール"
    r"|.{0,10}メールアプリ)から送信(?:されました)?。?"
    r"|outlook for (?:ios|android|mac).{0,80}|yahoo! ?(?:mail|メール).{0,60}"
    r"|(?:ios|android|windows) ?版?の?(?:outlook|メール).{0,80})",
    re.IGNORECASE,
)
_DELIMITER = "-- "  # RFC 3676 4.3
_KEPT_DELIMITER = "\ue001"  # the space would get lost
_RULED_OFF = re.compile(r"--|[【\[]署名[】\]].{0,20}")
_RULE = re.compile(
    r"[ \t\u3000]*([-_=＝―─━─*＊・･~～∼+＋#＃◇◆□■☆★○●◎…┏┗┃╋:：.。/／|｜<>＜＞^]\s?){5,}.{0,60}"
)
_BARE_RULE = re.compile(r"[-_=＝―─━*＊]{3,100}")
_CLOSING = re.compile(
    r"(?:(?:best|kind|warm|many)? ?(?:regards|wishes)|all the best|best|thanks|many thanks"
    r"|thank you|cheers|sincerely|yours (?:sincerely|truly|faithfully)|thanks (?:and|&) regards)"
    r"[ ,.!]*",
    re.IGNORECASE,
)
# What signatures are made of, and what a request below a ruled line is made of.
_CONTACT = re.compile(
    r"tel|fax|phone|mobile|携帯|電話|https?:|www\.|@|〒|[(（]株[)）]"
    r"|株式会社|有限会社|合同会社|㈱|\d{2,4}-\d{2,4}-\d{3,4}",
    re.IGNORECASE,
)
_REQUEST = re.compile(
    r"希望|下さい|ください|お願い|願い|停止|解除|削除|消去|不要|退会|開示|訂正|変更|やめ|止め"
    r"|unsubscribe|remove|delete|erase|stop|please|opt.?out|cancel",
    re.IGNORECASE,
)
_SIGNATURE_LINES = 15


@dataclass(frozen=True, slots=True)
class Split:
    """A text in two: the person's own words, and all the rest in its order."""

    words: str
    rest: str


def split(text: str) -> Split:
    """Own words apart from what was there before, and from the signature."""
    lines = [
        _KEPT_DELIMITER if line == _DELIMITER else line.rstrip()
        for line in text[:MAX_TEXT].split("\n")
    ]
    own, rest = _unquoted(lines)
    own, older = _library(own)
    own, signature = _unsigned(own)
    words = _joined(own)
    parts = (_joined(part) for part in (signature, older, rest))
    beyond = words[MAX_WORDS:]
    return Split(words[:MAX_WORDS], "\n".join(part for part in (beyond, *parts) if part))


def _joined(lines: list[str]) -> str:
    text = "\n".join(lines).replace(_KEPT_DELIMITER, _DELIMITER)
    return re.sub(r"\n{3,}", "\n\n", text).strip()


def _unquoted(lines: list[str]) -> tuple[list[str], list[str]]:
    marked = [_MARK.match(line) is not None for line in lines]
    for at in range(1, len(lines) - 1):
        torn = marked[at - 1] and marked[at + 1] and lines[at].strip()
        if torn and not marked[at] and _width(lines[at - 1]) in _WRAPPED:
            marked[at] = True
    own: list[str] = []
    rest: list[str] = []
    at = 0
    while at < len(lines):
        end, certain = (at + 1, False) if marked[at] else _introduction(lines, at)
        following = next((n for n in range(end, min(end + 4, len(lines))) if lines[n]), end)
        quoted = following < len(lines) and marked[following]
        if end == at or not (marked[at] or quoted or certain):
            own.append(lines[at])
            at += 1
        elif marked[at] or quoted:
            rest += lines[at:end]
            at = end
        else:
            rest += lines[at:]
            break
    return own, rest


def _width(line: str) -> int:
    """In columns: a kanji takes two."""
    return len(line) + sum(unicodedata.east_asian_width(c) in "WF" for c in line[:100])


def _introduction(lines: list[str], at: int) -> tuple[int, bool]:
    """Where what introduces a quotation ends (``at``: there is none), and whether it is certain."""
    line = lines[at].strip()[:400]
    if not line:
        return at, False
    if _SEPARATOR.fullmatch(line):
        return _after_labels(lines, at + 1), True
    block = _after_labels(lines, at)
    if block > at:
        return block, True
    if _NAMES.fullmatch(line):
        return at + 1, True
    joined = line
    for end in range(at + 1, at + 4):
        if _INTRODUCES.fullmatch(joined):
            return end, True
        if end >= len(lines) or not lines[end] or _MARK.match(lines[end]):
            break
        joined = f"{joined} {lines[end].strip()}"[:400]
    return (at + 1, False) if _MAY_INTRODUCE.fullmatch(line) else (at, False)


def _after_labels(lines: list[str], at: int) -> int:
    """Past a block of "差出人: … 件名: …", which begins with the sender; ``at`` if none is."""
    start = next((n for n in range(at, min(at + 2, len(lines))) if lines[n]), at)
    first = _LABEL.match(lines[start]) if start < len(lines) else None
    if not first or (start == at and not first["from"]):
        return at
    seen = {first[0].strip()}
    end = start + 1
    for number in range(start + 1, min(start + 10, len(lines))):
        label = _LABEL.match(lines[number])
        if label:
            seen.add(label[0].strip())
            end = number + 1
        elif not lines[number]:
            break
    return end if len(seen) > 1 else at


def _library(lines: list[str]) -> tuple[list[str], list[str]]:
    """Own lines, and older messages that have no marks, as mailparser_reply finds them."""
    whole = re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()
    text, beyond = whole[:MAX_WORDS].replace(_JOINT[0], ""), whole[MAX_WORDS:]
    text = re.sub(rf"(.{{{MAX_LINE}}})(?=.)", rf"\1{_JOINT}", text)
    found = EmailMessage(text=text, languages=["ja", "en"]).read().replies
    replies = [reply.content.replace(_JOINT, "") for reply in found]
    if found[0].headers:  # it begins with an older message
        replies.insert(0, "")
    if len(replies) > 1:
        return replies[0].split("\n"), [*replies[1:], beyond]
    return (replies[0] + beyond).split("\n"), []


def _unsigned(lines: list[str]) -> tuple[list[str], list[str]]:
    """Own lines, and those of the signature. Nobody wrote a signature alone."""
    kept: list[str] = []
    signature: list[str] = []
    for line in lines:
        (signature if _SENT_FROM.fullmatch(line[:200]) else kept).append(line)
    cut = _signature(kept)
    while cut and (not kept[cut - 1] or _BARE_RULE.fullmatch(kept[cut - 1])):
        cut -= 1
    if any(kept[:cut]):
        return kept[:cut], kept[cut:] + signature
    return (kept, signature) if any(kept) else (lines, [])


def _signature(lines: list[str]) -> int:
    """The number of the line where it begins, or of lines."""
    if _KEPT_DELIMITER in lines:
        return lines.index(_KEPT_DELIMITER)
    for number in range(max(0, len(lines) - _SIGNATURE_LINES), len(lines)):
        line = lines[number].strip()[:200]
        below = "\n".join(lines[number + 1 :])[:5_000]
        if _REQUEST.search(line) or _REQUEST.search(below):
            continue
        ruled = _RULE.fullmatch(line) and _CONTACT.search(below)
        if ruled or _RULED_OFF.fullmatch(line) or _CLOSING.fullmatch(line):
            return number
    return len(lines)
