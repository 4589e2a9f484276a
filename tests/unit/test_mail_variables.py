"""Variables: what is taken, what is refused with its name, and what values may hold."""

from __future__ import annotations

import re
import time
import unicodedata
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.errors import Unprocessable
from shared.mail.content import Content
from shared.mail.variables import VARIABLES, Use, one_line, uses, value_of
from tests.unit.test_compose import CAMPAIGN, COMPOSER, contact


def refused(content: Content) -> dict[str, str]:
    """What is said of each field."""
    with pytest.raises(Unprocessable) as refusal:
        COMPOSER.template(content)
    fields = refusal.value.fields
    for problem in fields.values():
        assert problem.ja.endswith("。")
        assert problem.en.endswith(".")
    return {field: problem.ja for field, problem in fields.items()}


@pytest.mark.parametrize(
    ("written", "use"),
    [
        ("{{name}}", Use("name")),
        ("{{ name }}", Use("name")),
        ("{{name|ご担当者}}", Use("name", "ご担当者")),
        ("{{name｜ご担当者}}", Use("name", "ご担当者")),
        ("{{ name | 山田　太郎 }}", Use("name", "山田　太郎")),
        ("{{name|}}", Use("name", "")),
        ("{{name|a|b}}", Use("name", "a|b")),
    ],
)
def test_how_a_variable_is_written(written: str, use: Use) -> None:
    assert uses(written) == [use]


def test_every_variable_is_described() -> None:
    for name, variable in VARIABLES.items():
        assert re.fullmatch(r"[a-z]+", name)
        assert variable.ja
        assert variable.en


@pytest.mark.parametrize("field", ["subject", "body", "text"])
@pytest.mark.parametrize("name", sorted(VARIABLES))
def test_each_may_stand_in_each_field(field: str, name: str) -> None:
    written = {"subject": "件名", "body": "本文", "text": ""} | {
        field: f"前{{{{{name}|代わり}}}}後"
    }
    campaign = replace(
        CAMPAIGN, subject=written["subject"], body=written["body"], text=written["text"]
    )
    for values, shown in (
        ({name: "値"}, "前値後"),
        ({name: " \u3000\n"}, "前代わり後"),
        ({}, "前代わり後"),
    ):
        message = COMPOSER.compose(campaign, contact(), values)
        parts = {"subject": [message.subject], "body": [message.text, message.html]}
        for part in parts.get(field, [message.text]):
            assert shown in part


@pytest.mark.parametrize("field", ["subject", "body", "text"])
@pytest.mark.parametrize(
    "written",
    [
        "{{nmae|ご担当者}}", "{{}}", "{{ }}", "{{|x}}", "{{name x}}", "{{{name}}}", "{{#if name}}",
        "{{Name}}", "{{名前}}", "{{name|{x}}", "{{name|x}y}}", "{{company.name}}", "{{v_link}}",
    ],
)  # fmt: skip
def test_an_unknown_variable_is_refused_by_name(field: str, written: str) -> None:
    content = replace(Content("件名", "本文"), **{field: f"前{written}後"})
    said = refused(content)
    assert list(said) == [field]
    assert " ".join(written.strip().split()).removesuffix("}") in said[field]
    assert "{{name}}(お名前)" in said[field]


@pytest.mark.parametrize("field", ["subject", "body", "text"])
@pytest.mark.parametrize(
    "written", ["{{name", "name}}", "{{", "}}", "}}{{", "{{name}}}}", "｛｛name｝｝"]
)
def test_unbalanced_braces_are_refused(field: str, written: str) -> None:
    content = replace(Content("件名", "本文"), **{field: f"前の言葉{written}後"})
    said = refused(content)
    assert list(said) == [field]
    assert "かっこが合っていません" in said[field]


def test_every_field_is_named_at_once() -> None:
    assert set(refused(Content("{{x}}", "{{name", "}}"))) == {"subject", "body", "text"}


@pytest.mark.parametrize(
    "written",
    [
        "[x](https://example.jp/{{name}})", "[x](https://{{name|a}}.jp)", "![x](https://a.jp/{{name}})",
        "<https://example.jp/{{name}}>", "[x]({{name}})", "[x][y]\n\n[y]: https://a.jp/{{name}}",
    ],
)  # fmt: skip
def test_no_variable_in_a_links_target(written: str) -> None:
    """Personal data would stand in other people's access logs."""
    assert "差し込み" in refused(Content("件名", written))["body"]


@pytest.mark.parametrize("written", ["{ x }", "a}b{", "{name}", r"\{\{name\}\}", "{ {name} }"])
def test_braces_that_are_no_variable_are_text(written: str) -> None:
    message = COMPOSER.compose(replace(CAMPAIGN, body=written), contact())
    assert message.text.startswith(written.replace("\\", ""))


def test_equal_uses_share_a_place_and_others_do_not() -> None:
    content = Content("{{name|A}}", "{{name|A}} {{name|B}} {{municipality|A}}", "{{name}}")
    places = COMPOSER.template(content).places
    assert [(place.key, place.default) for place in places] == [
        ("v_name", "A"), ("v_name_2", "B"), ("v_municipality", "A"), ("v_name_3", ""),
    ]  # fmt: skip


HOSTILE = 'A<b>"&{{{v_link}}}\\{{x}}\r\nBcc: <evil>\0\ud800\u2028\u202eZ'


def test_a_value_is_text_wherever_it_goes() -> None:
    campaign = replace(
        CAMPAIGN, subject="{{name}}様", body="![{{name}}](https://a.jp/x.png) {{name}}"
    )
    message = COMPOSER.compose(campaign, contact(), {"name": HOSTILE})
    clean = 'A<b>"&{{{v_link}}}\\{{x}} Bcc: <evil> Z'
    assert message.subject == f"{clean}様"
    assert clean in message.text
    assert "A&lt;b&gt;&quot;&amp;{{{v_link}}}\\{{x}} Bcc: &lt;evil&gt; Z" in message.html
    assert "<b>" not in message.html
    assert 'alt="A&lt;b&gt;&quot;' in message.html
    for part in (message.subject, message.text, message.html):
        part.encode()
        assert not {"\r", "\0", "\u2028"} & set(part)


@pytest.mark.parametrize(
    "value",
    [
        "http://evil.example",
        "見て www.evil.example",
        "evil.jp",
        "ｅｖｉｌ．ｊｐ",
        "a@b",
        "//x.y",
        "Evil.COM/x",
        "悪.jp",
        "evil。com",
        "ｅｖｉｌ｡ｃｏｍ",
        "例え.みんな",
    ],
)
def test_a_value_that_would_become_a_link_gives_way_to_the_default(value: str) -> None:
    """Anyone may type a name into a public form, and somebody else's address beside it."""
    assert value_of("name", {"name": value}) == ""


@pytest.mark.parametrize(
    "value", ["山田 太郎", "山田　太郎", "J. Smith", "株式会社A・B", "O'Neil", "㈱髙﨑", "👨‍👩‍👧"]
)
def test_names_as_people_have_them(value: str) -> None:
    assert value_of("name", {"name": value}) == value


@given(st.text(st.characters(), max_size=300))
def test_a_value_is_one_line_of_text(value: str) -> None:
    line = one_line(value)
    line.encode()
    assert len(line) <= 200
    assert line == line.strip() == one_line(line)
    assert not {"Cc", "Cs", "Zl", "Zp"} & {unicodedata.category(char) for char in line}


@pytest.mark.parametrize("odd", ["{" * 20_000, "{{ " * 7_000, "{{name|" * 3_000, "}" * 20_000])
def test_braces_are_read_in_one_go(odd: str) -> None:
    """A body of nothing but braces is refused as quickly as any."""
    started = time.process_time()
    assert "body" in refused(Content("件名", odd))
    assert time.process_time() - started < 1
