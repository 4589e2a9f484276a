"""An author's Markdown as the body of both parts: safe HTML, and text that reads like a letter.

CommonMark by markdown-it-py, without raw HTML; links to https, http and mailto only, whatever
else is linked keeps its words and loses its link. nh3 then keeps the few tags and attributes a
mail needs, whatever the parser may have let through.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import urlsplit

import nh3
from markdown_it import MarkdownIt
from markdown_it.token import Token
from markdown_it.tree import SyntaxTreeNode

SCHEMES = frozenset({"https", "http", "mailto"})
_TAGS = {
    "a", "blockquote", "br", "code", "em", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "img", "li",
    "ol", "p", "pre", "strong", "ul",
}  # fmt: skip
_ATTRIBUTES: dict[str, set[str]] = {
    "*": set(), "a": {"href"}, "img": {"src", "alt"}, "ol": {"start"},
}  # fmt: skip
_HOST = re.compile(r"(?:[a-z0-9-]+\.)+[a-z0-9-]+")


@dataclass(frozen=True, slots=True)
class Anchor:
    """A link as the reader sees it, and where it leads."""

    words: str
    target: str


@dataclass(frozen=True, slots=True)
class Image:
    """A picture and what is read where it is not shown."""

    alt: str
    source: str


@dataclass(frozen=True, slots=True)
class Body:
    """The author's part of a mail in both forms, and what a linter asks about it."""

    html: str
    text: str
    links: tuple[Anchor, ...]
    images: tuple[Image, ...]
    refused: tuple[str, ...]
    words: str


def convert(source: str) -> Body:
    """Both forms of ``source``. Never fails, whatever is in it."""
    tokens = _parser().parse(source)
    links: list[Anchor] = []
    images: list[Image] = []
    refused: list[str] = []
    for token in tokens:
        if token.type == "inline" and token.children:
            token.children = list(_checked(token.children, links, images, refused))
    tree = SyntaxTreeNode(tokens)
    html = _parser().renderer.render(tokens, _parser().options, {})
    return Body(
        html=nh3.clean(
            html, tags=_TAGS, attributes=_ATTRIBUTES, url_schemes=set(SCHEMES), link_rel=None
        ),
        text=re.sub(r"[ \t]+\n", "\n", "\n\n".join(_blocks(tree))).strip(),
        links=tuple(links),
        images=tuple(images),
        refused=tuple(refused),
        words="\n".join(_prose(tokens)),
    )


def is_target(url: str) -> bool:
    """Somewhere a mail may link to: an https or http address, or a mail address."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    if parts.scheme == "mailto":
        return "@" in parts.path
    return parts.scheme in SCHEMES and bool(_HOST.fullmatch(parts.hostname or ""))


class _Parser(MarkdownIt):
    """Every link is parsed as one, so that a refused one can be named instead of showing up raw."""

    def validateLink(self, url: str) -> bool:  # noqa: ARG002, N802
        return True


@cache
def _parser() -> _Parser:
    # A line break is kept: Japanese mail is written that way.
    return _Parser("commonmark", {"html": False, "breaks": True})


def _checked(
    children: list[Token], links: list[Anchor], images: list[Image], refused: list[str]
) -> Iterator[Token]:
    """The tokens of one paragraph, without the links that may not be."""
    target = ""
    words: list[Token] = []
    for token in children:
        if token.type == "link_open":
            target, words = str(token.attrs.get("href", "")), []
            if is_target(target):
                yield token
            else:
                refused.append(target)
        elif token.type == "link_close":
            if is_target(target):
                links.append(Anchor(_plain(words), target))
                yield token
        elif token.type == "image":
            words.append(token)
            source, alt = str(token.attrs.get("src", "")), _plain(token.children or [])
            if is_target(source):
                images.append(Image(alt, source))
                yield token
            else:
                refused.append(source)
                yield Token("text", "", 0, content=alt)
        else:
            words.append(token)
            yield token


def _plain(tokens: list[Token]) -> str:
    """The words in some inline tokens."""
    return "".join(
        _plain(token.children or [])
        if token.type == "image"
        else " "
        if token.type.endswith("break")
        else token.content
        for token in tokens
    )


def _prose(tokens: list[Token]) -> Iterator[str]:
    """The words outside code and pictures, as the reader sees them."""
    for token in tokens:
        if token.type == "inline":
            yield "".join(t.content for t in token.children or [] if t.type == "text")


# ---- the text part ----

_MARKS = {"h1": "■ ", "h2": "◆ "}
_RULE = "─" * 16


def _blocks(node: SyntaxTreeNode) -> list[str]:
    return [text for child in node.children if (text := _block(child))]


def _block(node: SyntaxTreeNode) -> str:
    match node.type:
        case "heading":
            return _MARKS.get(node.tag, "● ") + _inlines(node)
        case "bullet_list" | "ordered_list":
            return "\n".join(_items(node))
        case "blockquote":
            return _indented("\n\n".join(_blocks(node)), "> ", "> ")
        case "fence" | "code_block":
            return node.content.rstrip("\n")
        case "hr":
            return _RULE
    return _inlines(node)


def _items(node: SyntaxTreeNode) -> Iterator[str]:
    first: Any = node.attrs.get("start", 1)
    for number, item in enumerate(node.children, int(first)):
        mark = "・" if node.type == "bullet_list" else f"{number}. "
        yield _indented("\n".join(_blocks(item)), mark, "  " if mark == "・" else " " * len(mark))


def _indented(text: str, first: str, rest: str) -> str:
    return first + text.replace("\n", "\n" + rest)


def _inlines(node: SyntaxTreeNode) -> str:
    return "".join(_inline(child) for child in node.children)


def _words(node: SyntaxTreeNode) -> str:
    return node.content if not node.children else "".join(_words(c) for c in node.children)


def _inline(node: SyntaxTreeNode) -> str:
    match node.type:
        case "text" | "code_inline":
            return node.content
        case "softbreak" | "hardbreak":
            return "\n"
        case "link":
            words, target = _inlines(node), str(node.attrs.get("href", ""))
            shown = target.removeprefix("mailto:")
            # Spaces around, or mail programs take what follows for a part of the address.
            return f"{words}( {shown} )" if words and words not in {target, shown} else shown
        case "image":
            return f"[画像: {alt}]" if (alt := _words(node)) else ""
    return _inlines(node)
