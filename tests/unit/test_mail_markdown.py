"""Markdown as both parts: what becomes of it, and what never gets through."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.mail.markdown import Anchor, Image, convert, is_target

LETTER = """\
# 空き家の無料相談会

**秋の相談会**を[さくら市](https://example.jp/a?b=c&d=1)で開きます。
*どなたでも* `無料` です。<https://example.jp/> <info@example.jp>

## 日時

- 12月1日(火)
- 12月8日(火)
  1. 受付
  2. 相談

3. 三
4. 四

### 注意

> 予約は要りません。
> お気軽に。

***

    下見:  10時
    相談:  11時

![会場](https://example.jp/a.png) ![](https://example.jp/b.png)
"""


def test_the_text_part_reads_like_a_letter() -> None:
    assert (
        convert(LETTER).text
        == """\
■ 空き家の無料相談会

秋の相談会をさくら市( https://example.jp/a?b=c&d=1 )で開きます。
どなたでも 無料 です。https://example.jp/ info@example.jp

◆ 日時

・12月1日(火)
・12月8日(火)
  1. 受付
  2. 相談

3. 三
4. 四

● 注意

> 予約は要りません。
> お気軽に。

────────────────

下見:  10時
相談:  11時

[画像: 会場]"""
    )


def test_the_html_has_the_tags_markdown_means() -> None:
    body = convert(LETTER)
    opened = "h1 p strong a br em code a a h2 ul li li ol li li ol li li h3 blockquote p br hr pre"
    assert re.findall(r"<(\w+)", body.html) == f"{opened} code p img img".split()
    assert '<a href="https://example.jp/a?b=c&amp;d=1">さくら市</a>' in body.html
    assert '<ol start="3">' in body.html
    assert body.links[0] == Anchor("さくら市", "https://example.jp/a?b=c&d=1")
    assert body.images == (
        Image("会場", "https://example.jp/a.png"),
        Image("", "https://example.jp/b.png"),
    )
    assert body.refused == ()


def test_plain_text_stays_as_it_was_written() -> None:
    """Who knows no Markdown writes lines and paragraphs."""
    body = convert('こんにちは。\n続き < 5 & "\n\n二段落目')
    assert body.html == '<p>こんにちは。<br>\n続き &lt; 5 &amp; "</p>\n<p>二段落目</p>\n'
    assert body.text == 'こんにちは。\n続き < 5 & "\n\n二段落目'


@pytest.mark.parametrize(
    "target",
    [
        "javascript:alert(1)", "JaVaScRiPt:alert(1)", "&#106;avascript:alert(1)",
        "data:text/html;base64,xx", "vbscript:x", "file:///etc/passwd", "tel:0312345678",
        "/relative", "//example.jp/x", "#part", "https://", "https:///x", "http://[", "http://[::1]",
        "mailto:", "https:example.jp", "ftp://example.jp/", "about:blank", "https://localhost/",
    ],
)  # fmt: skip
def test_a_link_to_elsewhere_keeps_its_words_only(target: str) -> None:
    body = convert(f"前 [**言葉**]({target}) 後\n\n![絵]({target})")
    assert body.html == "<p>前 <strong>言葉</strong> 後</p>\n<p>絵</p>\n"
    assert body.text == "前 言葉 後\n\n絵"
    assert len(body.refused) == 2
    assert (body.links, body.images) == ((), ())


@pytest.mark.parametrize(
    "target",
    ["https://example.jp", "HTTPS://EXAMPLE.JP/a", "http://a.example.jp:8080/", "mailto:a@b.jp"],
)
def test_a_link_that_may_be(target: str) -> None:
    assert is_target(target)
    body = convert(f"[言葉]({target})")
    assert "<a href=" in body.html
    assert body.refused == ()


@pytest.mark.parametrize(
    "source",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        '[a](https://example.jp "onclick=x")',
        '[a](https://example.jp/"onmouseover=alert(1)//)',
        "```html onload=x\n<iframe>\n```",
        '<https://example.jp/"><script>>',
        '![a" onerror="x](https://example.jp/x.png "t")',
        "<!-- x --><style>*{display:none}</style>",
    ],
)  # fmt: skip
def test_nothing_active_survives(source: str) -> None:
    _only_harmless(convert(source).html)


_TAGS = {
    "a", "blockquote", "br", "code", "em", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "img", "li",
    "ol", "p", "pre", "strong", "ul",
}  # fmt: skip


class _Harmless(HTMLParser):
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in _TAGS
        for name, value in attrs:
            assert (tag, name) in {("a", "href"), ("img", "src"), ("img", "alt"), ("ol", "start")}
            if name in {"href", "src"}:
                assert urlsplit(value or "").scheme in {"https", "http", "mailto"}

    def handle_comment(self, data: str) -> None:
        raise AssertionError(data)

    def handle_decl(self, decl: str) -> None:
        raise AssertionError(decl)


def _only_harmless(html: str) -> None:
    parser = _Harmless()
    parser.feed(html)
    parser.close()


_PIECES = st.sampled_from(
    [
        "<script>", "</script>", "<img src=x onerror=alert(1)>", "javascript:", "data:text/html,",
        "[", "](", ")", "![", "<", ">", '"', "'", " onclick=", "https://e.jp/", "&#x6a;", "&lt;",
        "\n", "\n\n", "- ", "1. ", "> ", "# ", "```", "    ", "*", "**", "_", "`", "\\", "|", "x",
        "日本語", "\0", "\t", "[x]: ", "mailto:", "@", "&colon;", "\u202e", "<!--", "<![CDATA[",
    ]
)  # fmt: skip


@given(st.lists(_PIECES | st.text(max_size=5), max_size=40).map("".join))
def test_hostile_markdown_is_harmless_and_never_fails(source: str) -> None:
    body = convert(source.encode("utf-8", "replace").decode())
    _only_harmless(body.html)
    assert isinstance(body.text, str)


@pytest.mark.parametrize("deep", ["> " * 5000 + "x", "- " * 5000 + "x", "[" * 5000, "*" * 9999])
def test_deep_nesting_neither_fails_nor_hangs(deep: str) -> None:
    _only_harmless(convert(deep).html)
