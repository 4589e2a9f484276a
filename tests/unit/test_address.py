"""E-mail addresses by example: what is folded, what is refused and why, what is suggested."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from shared.domain import address as module
from shared.domain.address import (
    Address,
    AddressError,
    AddressKind,
    contact_id,
    parse_address,
    suggest,
    untagged,
)

KEY = b"a key for tests, 32 bytes long.."


def refusal(typed: str) -> AddressError:
    with pytest.raises(AddressError) as caught:
        parse_address(typed)
    return caught.value


class TestFolding:
    """Whatever can only mean one thing is accepted."""

    @pytest.mark.parametrize(
        ("typed", "used"),
        [
            ("taro@example.jp", "taro@example.jp"),
            ("Taro.Yamada@Example.JP", "Taro.Yamada@example.jp"),
            # Japanese input methods
            ("ｔａｒｏ＠ｅｘａｍｐｌｅ．ｊｐ", "taro@example.jp"),
            ("taro﹫example｡jp", "taro@example.jp"),
            ("taro。yamada@example。jp", "taro.yamada@example.jp"),
            ("ｔａｒｏ＿１２３－ｘ＠example.jp", "taro_123-x@example.jp"),
            # what cannot be seen
            ("\ufefftaro@example.jp", "taro@example.jp"),
            ("ta\u200bro@exam\u00adple.jp", "taro@example.jp"),
            ("\u202ataro@example.jp\u202c", "taro@example.jp"),
            ("taro\ufe0f@example.jp\U000e0100", "taro@example.jp"),
            # blanks at the ends and around the @
            ("  taro@example.jp\r\n", "taro@example.jp"),
            ("\u3000taro@example.jp\u3000", "taro@example.jp"),
            ("\u2028taro@example.jp\u00a0\t", "taro@example.jp"),
            ("taro @ example.jp", "taro@example.jp"),
            ("taro\u3000＠\u3000example.jp", "taro@example.jp"),
            # as mail programs copy them
            ("<taro@example.jp>", "taro@example.jp"),
            ("山田 太郎 <taro@example.jp>", "taro@example.jp"),
            ("㈱山田＜taro@example.jp＞ ", "taro@example.jp"),
            ('"taro@example.jp" <Taro@example.jp>', "Taro@example.jp"),
            ("taro＠example.jp <taro＠example.jp>", "taro@example.jp"),
            ("mailto:taro@example.jp", "taro@example.jp"),
            ("<MAILTO: taro@example.jp>", "taro@example.jp"),
            # usual and unusual, all RFC 5321
            ("a@b.jp", "a@b.jp"),
            ("taro+news@example.jp", "taro+news@example.jp"),
            ("-taro-@example.jp", "-taro-@example.jp"),
            ("!#$%&'*+/=?^_`{|}~@example.jp", "!#$%&'*+/=?^_`{|}~@example.jp"),
            ("taro@1-2.example.jp", "taro@1-2.example.jp"),
            ("x" * 64 + "@example.jp", "x" * 64 + "@example.jp"),
            # internationalised domains
            ("taro@日本語。ＪＰ", "taro@xn--wgv71a119e.jp"),
            ("taro@XN--WGV71A119E.jp", "taro@xn--wgv71a119e.jp"),
            ("taro@ｶﾞｽ.jp", "taro@xn--mck0a.jp"),
            ("taro@カ\u200b゙ス.jp", "taro@xn--mck0a.jp"),
            ("taro@みんな.みんな", "taro@xn--q9jyb4c.xn--q9jyb4c"),
        ],
    )
    def test_used(self, typed: str, used: str) -> None:
        address = parse_address(typed)
        assert (address.typed, address.used, address.lookup) == (typed, used, used.lower())
        assert address.kind is AddressKind.STANDARD

    def test_case_matters_for_delivery_but_not_for_lookup(self) -> None:
        upper, lower = parse_address("TARO@example.jp"), parse_address("taro@example.jp")
        assert upper.used != lower.used
        assert upper.lookup == lower.lookup

    @pytest.mark.parametrize("other", ["taro+b@gmail.com", "ta.ro@gmail.com", "taro@gmail.com"])
    def test_tags_and_dots_are_different_people(self, other: str) -> None:
        assert parse_address("taro+a@gmail.com").lookup != parse_address(other).lookup


class TestLegacyCarriers:
    """docomo and au once handed out addresses that RFC 5321 forbids (E1)."""

    @pytest.mark.parametrize(
        "typed",
        [
            *("a..b@docomo.ne.jp", "a.@docomo.ne.jp", ".a@docomo.ne.jp", "a...@ezweb.ne.jp"),
            *("a.@ezweb.ne.jp", "a..b@au.com", "a.@biz.ezweb.ne.jp", "a..b@biz.au.com"),
        ],
    )
    def test_accepted_marked_and_kept(self, typed: str) -> None:
        address = parse_address(typed)
        assert (address.used, address.lookup) == (typed, typed)
        assert address.kind is AddressKind.LEGACY_CARRIER

    def test_an_input_method_writes_two_dots_as_one_character(self) -> None:
        assert parse_address("a‥b…@docomo.ne.jp").used == "a..b...@docomo.ne.jp"

    def test_an_ordinary_carrier_address_is_standard(self) -> None:
        assert parse_address("a.b@docomo.ne.jp").kind is AddressKind.STANDARD

    @pytest.mark.parametrize("domain", ["gmail.com", "softbank.ne.jp", "x.docomo.ne.jp"])
    @pytest.mark.parametrize("local", ["a..b", "a.b.", ".a.b"])
    def test_refused_elsewhere(self, local: str, domain: str) -> None:
        error = refusal(f"{local}@{domain}")
        assert (error.code, error.suggestion) == ("local_dots", f"a.b@{domain}")

    def test_dots_alone_were_never_an_address(self) -> None:
        error = refusal("...@docomo.ne.jp")
        assert (error.code, error.suggestion) == ("local_dots", None)


REFUSED = [
    # typed, code, part of the Japanese sentence, suggestion
    ("", "empty", "入力されていません", None),
    ("\u200b \u3000", "empty", "入力されていません", None),
    ("<>", "empty", "入力されていません", None),
    ("x" * 1_001, "too_long", "254文字", None),
    ("taro@" + "example." * 40 + "jp", "too_long", "254文字", None),
    ("x" * 60 + "@" + "日本語日本語." * 10 + "jp", "too_long", "254文字", None),
    ("ta\0ro@example.jp", "control_character", "U+0000", None),
    ("taro@example.jp\x1f", "control_character", "U+001F", None),
    ("taro@exam\x85ple.jp", "control_character", "U+0085", None),
    ("\ud83dtaro@example.jp", "control_character", "U+D83D", None),
    ("taro；yamada@example.jp", "unusable_character", "「；」", None),
    ("taro(home)@example.jp", "unusable_character", "「(」", None),
    ("taro<@example.jp", "unusable_character", "「<」", None),
    ("taro\\@example.jp", "unusable_character", "「\\」", None),
    ("taro🍣@example.jp", "unusable_character", "「🍣」", None),
    ("taroq\u0301@example.jp", "unusable_character", "U+0301", None),
    ("taro\ue000@example.jp", "unusable_character", "U+E000", None),
    ("taro@ex_ample.jp", "unusable_character", "「_」", None),
    ("taro@日本；語.jp", "unusable_character", "「；」", None),
    ("taro@example，jp", "unusable_character", "「，」", "taro@example.jp"),
    ("taro〜x@example.jp", "unusable_character", "「〜」", "taro~x@example.jp"),
    ("taro−x@example.jp", "unusable_character", "「−」", "taro-x@example.jp"),
    # NFKC would make a/c, a.m., (1), and a space with an accent of these
    ("taro℀@example.jp", "unusable_character", "「℀」", None),
    ("taro㏂@example.jp", "unusable_character", "「㏂」", None),
    ("taro@⑴.jp", "unusable_character", "「⑴」", None),
    ("taro´s@example.jp", "unusable_character", "「´」", None),
    ("taro yamada@example.jp", "space_inside", "空白", None),
    ("taro\u3000yamada@example.jp", "space_inside", "空白", None),
    ("taro@example.jp\r\nBcc: x", "space_inside", "改行", None),
    ("taro@\r\nexample.jp", "space_inside", "改行", None),
    ("taro@example. jp", "space_inside", "空白", "taro@example.jp"),
    ("mailto:taro%2Bx@example.jp", "link_encoded", "%", None),
    ("mailto:taro@example.jp?subject=x", "unusable_character", "「?」", None),
    ("taro.example.jp", "at_missing", "「@」がありません", None),
    ("taro@home@example.jp", "at_repeated", "2つ", None),
    ("a@example.jp, b@example.jp; c@example.jp", "at_repeated", "3つ", None),
    ("taro＠@gmail.com", "at_repeated", "2つ", "taro@gmail.com"),
    ("boss@example.jp <taro@example.jp>", "at_repeated", "2つ", None),
    ("@example.jp", "local_missing", "前に何もありません", None),
    ("x" * 65 + "@example.jp", "local_too_long", "64文字", None),
    ('"taro yamada"@example.jp', "local_quoted", "引用符", None),
    ('"a..b"@docomo.ne.jp', "local_quoted", "引用符", "a..b@docomo.ne.jp"),
    ("たろう@example.jp", "local_not_ascii", "「た」", None),
    ("ﾀﾛｳ@example.jp", "local_not_ascii", "「ﾀ」", None),
    ("taroーx@example.jp", "local_not_ascii", "「ー」", "taro-x@example.jp"),
    ("tаro@example.jp", "local_not_ascii", "半角", None),  # a Cyrillic letter
    ("a..b@docmo.ne.jp", "local_dots", "点", "a..b@docomo.ne.jp"),
    ("@", "domain_missing", "後に何もありません", None),
    ("taro@", "domain_missing", "後に何もありません", None),
    ("taro@192.168.0.1", "domain_is_ip", "IPアドレス", None),
    ("taro@[192.168.0.1]", "domain_is_ip", "IPアドレス", None),
    ("taro@［IPv6:::1］", "domain_is_ip", "IPアドレス", None),
    ("taro@example.jp.", "domain_ends_with_dot", "最後に点", "taro@example.jp"),
    ("taro@example.jp。", "domain_ends_with_dot", "最後に点", "taro@example.jp"),
    ("taro@.example.jp", "domain_dots", "直後", "taro@example.jp"),
    ("taro@gmail..com", "domain_dots", "続いています", "taro@gmail.com"),
    ("taro@example", "domain_without_dot", "点「.」がありません", None),
    ("taro@gmailcom", "domain_without_dot", "点「.」がありません", "taro@gmail.com"),
    ("taro@gmail", "domain_without_dot", "点「.」がありません", "taro@gmail.com"),
    ("taro@-example.jp", "domain_hyphen", "「-」", None),
    ("taro@example-.jp", "domain_hyphen", "「-」", None),
    ("taro@" + "x" * 64 + ".jp", "domain_label_too_long", "63文字", None),
    ("taro@example、jp", "domain_not_idna", "ドメイン名", "taro@example.jp"),
    ("taro@xn--a.jp", "domain_not_idna", "ドメイン名", None),
    ("taro@☃\u0378.jp", "domain_not_idna", "ドメイン名", None),
    ("taro@" + "語" * 63 + ".jp", "domain_not_idna", "ドメイン名", None),
    ("taro@example.123", "domain_unknown_ending", "「.123」", None),
    ("taro@example.x", "domain_unknown_ending", "「.x」", None),
    ("taro@docomo.ne.j", "domain_unknown_ending", "「.j」", "taro@docomo.ne.jp"),
    ("taro@ezweb.ne.j", "domain_unknown_ending", "「.j」", "taro@ezweb.ne.jp"),
    ("taro@softbank.ne.j", "domain_unknown_ending", "「.j」", "taro@softbank.ne.jp"),
    ("taro@yahoo.co.j", "domain_unknown_ending", "「.j」", "taro@yahoo.co.jp"),
    ("taro@yahoo.cojp", "domain_unknown_ending", "「.cojp」", "taro@yahoo.co.jp"),
    ("taro@gmail.con", "domain_unknown_ending", "「.con」", "taro@gmail.com"),
    ("taro@gmai.lcom", "domain_unknown_ending", "「.lcom」", "taro@gmail.com"),
    ("taro@live.con", "domain_unknown_ending", "「.con」", "taro@live.com"),
    ("taro@city.lgjp", "domain_unknown_ending", "「.lgjp」", "taro@city.lg.jp"),
    ("taro@ne.jp", "domain_incomplete", "「ne.jp」だけ", None),
]


class TestRefusals:
    """Anything else is refused with a sentence that says what is wrong."""

    @pytest.mark.parametrize(
        ("typed", "code", "ja", "suggestion"),
        REFUSED,
        ids=[f"{r[1]}-{r[0][:24]!a}" for r in REFUSED],
    )
    def test_reason_and_suggestion(
        self, typed: str, code: str, ja: str, suggestion: str | None
    ) -> None:
        error = refusal(typed)
        assert (error.code, error.suggestion) == (code, suggestion)
        assert ja in error.ja
        assert error.ja.endswith("。")
        assert error.en.isprintable()

    def test_every_reason_has_an_example(self) -> None:
        assert {row[1] for row in REFUSED} == set(module._SENTENCES)

    def test_nothing_typed_reaches_a_log(self) -> None:
        error = refusal("secret yamada@example.jp")
        assert str(error) == "space_inside"
        assert "yamada" not in repr(error)

    def test_a_sentence_can_be_encoded_whatever_was_typed(self) -> None:
        assert refusal("taro\udfff@example.jp").ja.encode()


class TestSuggest:
    """A hint for an address that is valid; the caller decides."""

    @pytest.mark.parametrize(
        ("typed", "meant"),
        [
            *(("gmial.com", "gmail.com"), ("gmai.com", "gmail.com"), ("gmail.co", "gmail.com")),
            *(("gmail.cm", "gmail.com"), ("gmail.om", "gmail.com"), ("gnail.com", "gmail.com")),
            *(("gmaill.com", "gmail.com"), ("gmail.co.jp", "gmail.com")),
            *(("yaho.co.jp", "yahoo.co.jp"), ("yahoo.co", "yahoo.co.jp")),
            *(("yahoo.jp", "yahoo.co.jp"), ("yhaoo.co.jp", "yahoo.co.jp")),
            *(("docomo.co.jp", "docomo.ne.jp"), ("docomo.ne", "docomo.ne.jp")),
            *(("dokomo.ne.jp", "docomo.ne.jp"), ("dokoma.ne.jp", "docomo.ne.jp")),
            *(("ezweb.co.jp", "ezweb.ne.jp"), ("ezwed.ne.jp", "ezweb.ne.jp")),
            *(("i.softbnk.jp", "i.softbank.jp"), ("i.softbank.ne.jp", "i.softbank.jp")),
            *(("sofbank.ne.jp", "softbank.ne.jp"), ("au.co", "au.com")),
            *(("icloud.co", "icloud.com"), ("iclould.com", "icloud.com")),
            *(("hotmail.co", "hotmail.com"), ("hotmai.com", "hotmail.com")),
            *(("hotmal.co.jp", "hotmail.co.jp"), ("otlook.jp", "outlook.jp")),
            *(("outlok.com", "outlook.com"), ("outlook.co.jp", "outlook.jp")),
            *(("nifty.co", "nifty.com"), ("so-net.ne", "so-net.ne.jp"), ("ocn.co.jp", "ocn.ne.jp")),
            *(("ocn.nr.jp", "ocn.ne.jp"), ("bigrobe.ne.jp", "biglobe.ne.jp")),
        ],
    )
    def test_likely_slip(self, typed: str, meant: str) -> None:
        used = parse_address(f"Taro@{typed}").used
        assert suggest(used) == f"Taro@{meant}"

    @pytest.mark.parametrize("domain", [*module._WELL_KNOWN, *sorted(module._REAL_NEIGHBOURS)])
    def test_a_real_domain_is_left_alone(self, domain: str) -> None:
        assert suggest(parse_address(f"taro@{domain}").used) is None

    @pytest.mark.parametrize(
        "domain",
        [
            *("example.jp", "example.com", "city.yokohama.lg.jp", "u-tokyo.ac.jp", "a.jp"),
            *("hotmail.co.uk", "hotmail.fr", "outlook.fr", "outlook.kr", "yahoo.co.in"),
            *("ccn.ne.jp", "icn.ne.jp", "jcn.ne.jp", "dcn.ne.jp", "acn.ne.jp", "aa.com"),
            *("a1.so-net.ne.jp", "xyz.ocn.ne.jp", "t.vodafone.ne.jp", "mx.gmail.com"),
        ],
    )
    def test_others_are_left_alone(self, domain: str) -> None:
        assert suggest(parse_address(f"taro@{domain}").used) is None

    @pytest.mark.parametrize(
        "text", ["", "taro", "@", "taro@", "@gmial.com", "x" * 300 + "@gmial.com"]
    )
    def test_no_address_no_suggestion(self, text: str) -> None:
        assert suggest(text) is None


class TestMasked:
    """Pages show enough to recognise one's own address, nothing to others."""

    @pytest.mark.parametrize(
        ("typed", "masked"),
        [
            ("taro@example.jp", "t***@***.jp"),
            ("Taro.Yamada+x@docomo.ne.jp", "T***@***.ne.jp"),
            ("ab@mail.example.co.jp", "a***@***.co.jp"),
            ("a@example.com", "***@***.com"),
            (".a@docomo.ne.jp", ".***@***.ne.jp"),
            ("taro@みんな.みんな", "t***@***.xn--q9jyb4c"),
        ],
    )
    def test_masked(self, typed: str, masked: str) -> None:
        assert parse_address(typed).masked == masked

    def test_repr_is_masked_too(self) -> None:
        assert repr(parse_address("taro@example.jp")) == "<Address t***@***.jp standard>"
        assert repr(parse_address("a.@au.com")) == "<Address a***@***.com legacy_carrier>"


class TestContactId:
    """The keyed name everything outside the contacts table refers to."""

    def test_is_truncated_hmac_sha256(self) -> None:
        # RFC 4231, test case 2: key "Jefe", leftmost 128 bits.
        digest = contact_id("what do ya want for nothing?", b"Jefe")
        assert digest == "5bdcc146bf60754e6a042426089575c7"

    def test_depends_on_address_and_key(self) -> None:
        ids = {
            contact_id("taro@example.jp", KEY),
            contact_id("taro+x@example.jp", KEY),
            contact_id("taro@example.jp", KEY + b"."),
        }
        assert len(ids) == 3

    def test_an_empty_key_is_a_programming_error(self) -> None:
        with pytest.raises(ValueError, match="key"):
            contact_id("taro@example.jp", b"")


@pytest.mark.parametrize(
    ("lookup", "mailbox"),
    [
        ("taro@example.jp", "taro@example.jp"),
        ("taro+20@example.jp", "taro@example.jp"),
        ("taro+a+b@example.jp", "taro@example.jp"),
        ("+a@example.jp", "+a@example.jp"),
    ],
)
def test_a_tag_is_no_mailbox_of_its_own(lookup: str, mailbox: str) -> None:
    assert untagged(lookup) == mailbox
    assert untagged(mailbox) == mailbox


def test_address_is_a_value() -> None:
    address = parse_address("taro@example.jp")
    assert address == Address("taro@example.jp", "taro@example.jp", "taro@example.jp", address.kind)
    assert len({address, parse_address("taro@example.jp")}) == 1


def test_an_ascii_address_imports_nothing_heavy() -> None:
    """Cold start: idna is loaded for the few who need it, validators never."""
    program = (
        "import sys; from shared.domain.address import parse_address as p;"
        "p('ｔａｒｏ＠example.jp'); before = 'idna' in sys.modules; p('taro@日本語.jp');"
        "print(before, 'idna' in sys.modules, {'pydantic', 'email_validator'} & set(sys.modules))"
    )
    root = Path(__file__).parents[2]
    ran = subprocess.run(
        [sys.executable, "-c", program], cwd=root, capture_output=True, text=True, check=True
    )
    assert ran.stdout.split() == ["False", "True", "set()"]
