"""HTML to text as a reader sees it, quotations marked with > as in plain mail."""

from __future__ import annotations

import re
from collections import Counter
from typing import NamedTuple

from selectolax.lexbor import LexborHTMLParser, LexborNode

MAX_NESTING = 1_000
MAX_ATTRIBUTES = 500
# A line of its own that says that everything after it was written before.
ORIGINAL = "----- Original Message -----"

_SILENT = frozenset({"script", "style", "head", "title", "template", "noscript", "-comment"})
_BLOCKS = frozenset(
    {
        "address", "article", "blockquote", "body", "center", "dd", "div", "dl", "dt", "fieldset",
        "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "li", "main", "ol",
        "p", "pre", "section", "table", "tr", "ul",
    }
)  # fmt: skip
_ORIGINAL_IDS = frozenset(
    {"appendonsend", "divrplyfwdmsg", "x_divrplyfwdmsg", "olk_src_body_section"}
)
_QUOTING = re.compile(
    r"\b(?:gmail_attr|moz-cite-prefix|yahoo_quoted|yahoo-quoted-begin|OutlookMessageHeader"
    r"|protonmail_quote|tutanota_quote|gmail_signature|moz-signature)\b"
)
# Outlook for Windows: a thin line above "From: …", in one of these greys and blues.
_OUTLOOK_RULE = re.compile(r"border-top:\s*solid\s*#(?:e1e1e1|b5c4df)", re.IGNORECASE)
_TAG = re.compile(r"<(/?)([a-zA-Z][^\s/>]*)([^<>]*)")
_ANY_TAG = re.compile(r"<[^<>]*>")
# Never need an end, so that their number says nothing about nesting.
_UNNESTED = frozenset(
    {
        "p", "li", "td", "th", "tr", "dt", "dd", "option", "br", "hr", "img", "meta", "link",
        "input", "col", "area", "base", "wbr",
        "thead", "tbody", "tfoot", "colgroup", "source", "html",
        "body",
    }
)  # fmt: skip
_AS_IS = re.compile(r"white-space:\s*(?:pre|break-spaces)")
_SPACE = re.compile(r"[ \t\n\f\r\u00a0]+")


def text_of(html: str) -> str:
    """The text. Markup that would keep the parser busy for seconds is only taken away."""
    if _is_hostile(html):
        return _ANY_TAG.sub("\n", html)
    tree = LexborHTMLParser(html)
    page = _Page()
    todo = [_Visit(tree.root)]
    while todo:
        todo += page.enter(todo.pop())
    page.end_line()
    return "\n".join(page.lines)


def _is_hostile(html: str) -> bool:
    """Nested or adorned beyond any mail: the parser's time grows with the square of either."""
    open_now: Counter[str] = Counter()
    deep = 0
    for closing, name, attributes in _TAG.findall(html):
        tag = name.lower()
        if attributes.count("=") + len(attributes.split()) > 2 * MAX_ATTRIBUTES:
            return True
        if tag in _UNNESTED:
            continue
        if closing:
            lower = open_now[tag] > 0
            open_now[tag] -= lower
            deep -= lower
        else:
            open_now[tag] += 1
            deep += 1
            if deep > MAX_NESTING:
                return True
    return False


class _Visit(NamedTuple):
    """A node to be written, or the end of a block where there is none."""

    node: LexborNode | None
    depth: int = 0  # of quotation
    as_is: bool = False  # line breaks count


class _Page:
    """Lines so far, and the one that is being written."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.line: list[str] = []
        self.depth = 0

    def enter(self, visit: _Visit) -> list[_Visit]:
        """Write a node; what is still to be visited inside it, last first."""
        node = visit.node
        if node is None:
            self.end_line()
            return []
        tag = node.tag or ""
        if tag == "-text":
            self._write(node.text_content or "", visit)
        elif tag == "br":
            self.end_line(blank=True)
        elif tag not in _SILENT:
            return self._element(node, tag, visit)
        return []

    def _element(self, node: LexborNode, tag: str, visit: _Visit) -> list[_Visit]:
        style = node.attributes.get("style") or ""
        if (node.attributes.get("id") or "").lower() in _ORIGINAL_IDS or _OUTLOOK_RULE.search(
            style
        ):
            self.end_line()
            self.lines.append(ORIGINAL)
        depth = visit.depth + _quotes(node, tag)
        as_is = visit.as_is or tag == "pre" or bool(_AS_IS.search(style))
        inside: list[_Visit] = []
        child = node.child
        while child is not None:
            inside.append(_Visit(child, depth, as_is))
            child = child.next
        if tag in _BLOCKS or depth > visit.depth:
            self.end_line()
            inside.append(_Visit(None))
        return inside[::-1]

    def _write(self, text: str, visit: _Visit) -> None:
        if visit.depth != self.depth:
            self.end_line()
            self.depth = visit.depth
        first, *more = text.split("\n") if visit.as_is else [text]
        self.line.append(first)
        for line in more:
            self.end_line(blank=True)
            self.line.append(line)

    def end_line(self, *, blank: bool = False) -> None:
        """What was written becomes a line, after its quotation marks."""
        text = _SPACE.sub(" ", "".join(self.line)).strip()
        self.line.clear()
        if text or blank:
            self.lines.append("> " * min(self.depth, 5) + text)


def _quotes(node: LexborNode, tag: str) -> bool:
    """Whether it quotes. Gmail puts answers between quotations into the same gmail_quote."""
    if tag == "blockquote":
        return True
    names = node.attributes.get("class") or ""
    if "gmail_quote" in names:
        return node.css_first("blockquote") is None
    return bool(_QUOTING.search(names))
