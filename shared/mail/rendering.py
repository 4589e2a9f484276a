"""What campaigns and replies have in common on their way to a mail: templates, styles, names."""

from __future__ import annotations

from email.header import Header
from email.utils import formataddr
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape


@cache
def mailbox(name: str, address: str) -> str:
    """A name and address for From.

    A long Japanese name needs several encoded words: RFC 2047 allows 75 characters each.
    """
    words = name if name.isascii() else Header(name, "utf-8").encode(linesep="", maxlinelen=75)
    return formataddr((words, address))


@cache
def page(name: str) -> Any:
    """A template of this package."""
    return _environment().get_template(name)


def inlined(html: str) -> str:
    """The page with its style sheet in its elements."""
    return str(_inliner().inline(html))


def with_dark_mode(html: str) -> str:
    """The page with what cannot be inlined: its look where the reader prefers a dark screen."""
    return html.replace("</head>", f"{_dark()}</head>", 1)


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("shared.mail"),
        autoescape=select_autoescape(["html"]),
        undefined=StrictUndefined,
        keep_trailing_newline=True,
    )


@cache
def _dark() -> str:
    return f"<style>\n{page('dark.css').render()}</style>\n"


@cache
def _inliner() -> Any:
    # Only a template needs it; the library is 4 MB to load.
    import css_inline  # noqa: PLC0415

    return css_inline.CSSInliner(load_remote_stylesheets=False, minify_css=True)
