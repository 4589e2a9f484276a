"""The bulk form: SES's Handlebars makes of it, byte for byte, what ``compose`` makes."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, datetime

import chevron  # type: ignore[import-untyped]
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from shared.domain.campaigns import Campaign
from shared.domain.errors import Unprocessable
from shared.mail import markdown
from shared.mail.compose import Composer
from shared.mail.content import Content
from shared.mail.markdown import Body
from tests.unit.test_compose import CAMPAIGN, COMPANY, COMPOSER, contact

# Whatever a setting may hold.
ODD = replace(
    COMPOSER,
    company=replace(COMPANY, name="{{name}} \\{{{v_link}}} 社", contact="{{#if}}\\"),
    public_url="https://a.example/{{x}}\\",
)
PLACE = re.compile(r"\{\{\{v_[a-z0-9_]+\}\}\}")


def both(composer: Composer, campaign: Campaign, values: dict[str, str]) -> None:
    """Bulk and single form are the same; nothing but places is left for Handlebars to read."""
    template = composer.template(Content.of(campaign))
    recipient = composer.recipient(contact(), campaign, values)
    message = composer.compose(campaign, contact(), values)
    data = json.loads(json.dumps(dict(recipient.data), ensure_ascii=False).encode())
    for part, made in (
        (template.subject, message.subject),
        (template.text, message.text),
        (template.html, message.html),
    ):
        # A Handlebars expression, a raw block or a quoted one would need one of these three.
        assert not {"{", "}", "\\"} & set(
            PLACE.sub("", re.sub(r"(?s)<style>.*?</style>", "", part))
        )
        assert chevron.render(part, data) == made
    assert (recipient.to, recipient.headers, recipient.tags) == (
        message.to,
        message.headers,
        message.tags,
    )
    assert set(re.findall(r"v_\w+", "".join(PLACE.findall(template.text + template.html)))) <= set(
        data
    )


@pytest.mark.parametrize("composer", [COMPOSER, ODD], ids=["plain", "odd"])
@pytest.mark.parametrize(
    ("body", "values"),
    [
        ("本文", {}),
        ("{{name|ご担当者}} 様 {{municipality|お住まいの市}}", {"name": "山田 <太郎>"}),
        (r"\\{{name}} \{ {{name|x}} \} { {{name|x}} }", {"name": "\\"}),
        (r"\{\{\{v_link\}\}\} \{\{#if x\}\} &#123;&#123;x&#125;&#125;", {}),
        ("`\\{ \\\\` {{name}}", {"name": "{{{v_link}}} {{x}} }} \\{{y}}"}),
    ],
)  # fmt: skip
def test_both_forms_are_the_same(composer: Composer, body: str, values: dict[str, str]) -> None:
    both(composer, replace(CAMPAIGN, body=body, subject="{{name|皆さま}}へ { \\"), values)


_PIECES = st.sampled_from(
    ["{", "}", "\\", "\\{", "}}", "{{name|あ}}", "{{name}}", "{{municipality| x\\}}", "~", "#each",
     "`", "*", "\n", "\n\n", "<", "&", "&#123;", "\\{\\{name\\}\\}", "{{organization|&<}}", "!",
     "[a](https://e.jp/{x})", "^", "    ", "|", "v_link", "\r\n", "\0", "\ud800"]
)  # fmt: skip
_WRITTEN = st.lists(_PIECES | st.text(max_size=3), max_size=20).map("".join)


@given(_WRITTEN, _WRITTEN, _WRITTEN, _WRITTEN, st.sampled_from([COMPOSER, ODD]))
def test_both_forms_are_the_same_whatever_is_written(
    subject: str, body: str, text: str, value: str, composer: Composer
) -> None:
    campaign = Campaign(
        "c0ffee123456", subject, body, "cs", datetime(2026, 12, 1, tzinfo=UTC), text=text
    )
    try:
        composer.template(Content.of(campaign))
    except Unprocessable:
        assume(False)
    both(composer, campaign, dict.fromkeys(("name", "municipality", "organization"), value))


def test_the_template_is_made_once_per_campaign(monkeypatch: pytest.MonkeyPatch) -> None:
    """What each recipient costs is a signature and a few words."""
    made: list[str] = []
    convert = markdown.convert

    def counted(source: str) -> Body:
        made.append(source)
        return convert(source)

    monkeypatch.setattr(markdown, "convert", counted)
    campaign = replace(CAMPAIGN, body="一度だけ {{name|皆さま}}")
    for number in range(100):
        COMPOSER.recipient(contact(f"{number}@example.jp"), campaign, {"name": str(number)})
    assert len(made) == 1


def test_the_data_is_small_and_holds_no_address() -> None:
    """Only what differs: the link's end, and each variable once per part."""
    recipient = COMPOSER.recipient(
        contact(), replace(CAMPAIGN, body="{{name|a}} {{name|a}}"), {"name": "<山田>", "x": "y"}
    )
    assert recipient.data == {
        "v_link": recipient.headers["List-Unsubscribe"].split("/u/")[1][:54],
        "v_name": "<山田>",
        "v_name_h": "&lt;山田&gt;",
    }


@given(st.text(alphabet="<>\"'=& ab/\n", max_size=30))
def test_every_angle_bracket_begins_or_ends_a_tag(words: str) -> None:
    """Also in attributes, where a serialiser need not escape it."""
    content = Content(words, f"![{words}](https://a.jp/x.png) {words}")
    assert not re.search(r"<[^>]*<", COMPOSER.template(content).html)
