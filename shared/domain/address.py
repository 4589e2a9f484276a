"""E-mail addresses: what was typed, what mail is sent to, and the key people are found by.

``parse_address`` folds what a Japanese keyboard, a phone or a paste adds to an address, and
refuses the rest with a sentence that says what is wrong:

    typed    「ＴＡＲＯ＠Example。jp 」   exactly what the person entered
    used     TARO@example.jp            NFKC, nothing invisible, domain in lower-case ASCII
    lookup   taro@example.jp            the same for every way of typing one address

Folded silently, because only one meaning is possible:
full-width letters, ＠ and ．; the ideographic full stop 。; characters that cannot be seen
(zero width, BOM, soft hyphen, direction marks, variation selectors); spaces and line breaks
at the ends and spaces around the @ ("taro @ example.jp" is how people copy from paper);
``mailto:``, ``<a@b.jp>`` and ``Name <a@b.jp>`` as mail programs copy them. A name that is
itself another address is ambiguous and refused.

Refused, because more than one meaning is possible or mail could not arrive:
a space elsewhere ("taro yamada@…" may be taro.yamada, taro_yamada or two words), a quoted
local part, Japanese before the @ (SES has no SMTPUTF8), IP literals, control characters, and
a character that NFKC would turn into several with punctuation among them (℀, ㏂, ⑴).
``+tag`` and dots are never merged: they are different mailboxes at most providers.

A correction comes in two strengths. ``suggest`` proposes one for an address that is valid
(``taro@gmial.com``): a hint, the caller decides. ``AddressError.suggestion`` proposes one for
an address that was refused (``taro@docomo.ne.j``). Both are always valid addresses.

Nothing here puts an address in an exception's ``str`` or in ``repr``: those reach logs.
"""

from __future__ import annotations

import hmac
import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum

MAX_TYPED = 1_000  # refused unread beyond this, so that a megabyte costs nothing
MAX_LOCAL = 64  # RFC 5321 4.5.3.1.1
MAX_ADDRESS = 254  # RFC 5321 4.5.3.1.3, less the angle brackets (RFC 3696 erratum 1690)
MAX_LABEL = 63  # RFC 1035 2.3.4


class AddressKind(StrEnum):
    """Whether an address obeys RFC 5321 or is one that docomo and au once handed out."""

    STANDARD = "standard"
    LEGACY_CARRIER = "legacy_carrier"


# Until spring 2009 docomo and au let people choose dots that RFC 5321 forbids: doubled, first,
# or just before the @ (rbbtoday.com/news/20090403/59059.html, hayatomo.com/68). They still
# exist, many systems cannot mail them, and a refusal must still find them. au.com is here
# because since 2018 an ezweb.ne.jp user may move there and keep the local part
# (gapsis.jp/2018/04/about-aucom-mailaddress.html). SoftBank always followed the RFC.
_LEGACY_CARRIERS = frozenset(
    {"docomo.ne.jp", "ezweb.ne.jp", "biz.ezweb.ne.jp", "au.com", "biz.au.com"}
)

# Sentences for people, by stable code. {found} is one character or one top-level domain.
_SENTENCES = {
    "empty": (
        "メールアドレスが入力されていません。",
        "No e-mail address was entered.",
    ),
    "too_long": (
        "メールアドレスが長すぎます。全体で254文字までです。",
        "The e-mail address is too long: 254 characters at most.",
    ),
    "control_character": (
        "使えない制御文字（{found}）が含まれています。入力し直してください。",
        "The address contains a control character ({found}). Please type it again.",
    ),
    "unusable_character": (
        "メールアドレスに使えない文字「{found}」があります。",
        "The address contains a character that cannot be used: {found}",
    ),
    "space_inside": (
        "メールアドレスの途中に空白や改行があります。",
        "There is a space or a line break inside the address.",
    ),
    "link_encoded": (
        "リンクの記号「%」が含まれています。メールアドレスだけを入力してください。",
        "This is an encoded mailto link. Please enter the address only.",
    ),
    "at_missing": (
        "「@」がありません。",
        "The “@” is missing.",
    ),
    "at_repeated": (
        "「@」が{found}つあります。メールアドレスは1つだけ入力してください。",
        "There are {found} “@” signs. Please enter one address.",
    ),
    "local_missing": (
        "「@」の前に何もありません。",
        "Nothing stands before the “@”.",
    ),
    "local_too_long": (
        "「@」の前が長すぎます。64文字までです。",
        "The part before the “@” is too long: 64 characters at most.",
    ),
    "local_quoted": (
        '引用符「"」を含むメールアドレスは使えません。',
        "Addresses with quotation marks cannot be used.",
    ),
    "local_not_ascii": (
        "「@」の前に「{found}」は使えません。半角の英数字で入力してください。",
        "“{found}” cannot be used before the “@”. Please use ASCII letters and digits.",
    ),
    "local_dots": (
        "「@」の前の点「.」が、先頭か「@」の直前にあるか、続いています。",
        "Before the “@”, a dot comes first, last or twice in a row.",
    ),
    "domain_missing": (
        "「@」の後に何もありません。",
        "Nothing stands after the “@”.",
    ),
    "domain_is_ip": (
        "「@」の後がIPアドレスになっています。ドメイン名を入力してください。",
        "An IP address stands after the “@”. Please enter a domain name.",
    ),
    "domain_ends_with_dot": (
        "ドメインの最後に点「.」があります。",
        "The domain ends with a dot.",
    ),
    "domain_dots": (
        "ドメインの点「.」が、「@」の直後にあるか、続いています。",
        "In the domain, a dot comes first or twice in a row.",
    ),
    "domain_without_dot": (
        "ドメインに点「.」がありません。「@」の後を最後まで入力してください。",
        "The domain has no dot. Please enter all of it.",
    ),
    "domain_hyphen": (
        "ドメインの「-」の位置が正しくありません。",
        "A hyphen in the domain is in the wrong place.",
    ),
    "domain_label_too_long": (
        "ドメインの点「.」で区切られた部分が長すぎます。63文字までです。",
        "A part of the domain is too long: 63 characters at most.",
    ),
    "domain_not_idna": (
        "「@」の後に、ドメイン名として使えない文字の並びがあります。",
        "The domain is not a valid internationalised domain name.",
    ),
    "domain_unknown_ending": (
        "ドメインの最後「.{found}」は存在しません。",
        "No domain ends in “.{found}”.",
    ),
    "domain_incomplete": (
        "「@」の後が「{found}」だけになっています。最後まで入力してください。",
        "Only “{found}” stands after the “@”. Please enter the whole domain.",
    ),
}


class AddressError(ValueError):
    """Why one typed address is refused.

    ``code`` is stable and machine-readable, ``ja`` and ``en`` are sentences for the person (they
    may quote one character that was typed: escape them in HTML), ``suggestion`` is a valid
    address the person may have meant. ``str()`` is the code alone, safe to log.
    """

    def __init__(self, code: str, found: str = "") -> None:
        super().__init__(code)
        ja, en = _SENTENCES[code]
        self.code = code
        self.ja = ja.format(found=found)
        self.en = en.format(found=found)
        self.suggestion: str | None = None


@dataclass(frozen=True, slots=True, repr=False)
class Address:
    """One valid address; make it with ``parse_address``."""

    typed: str
    used: str
    lookup: str
    kind: AddressKind

    @property
    def masked(self) -> str:
        """For pages: ``t***@***.ne.jp``. Enough to recognise one's own, of no use to others."""
        local, _, domain = self.used.partition("@")
        labels = domain.split(".")
        shown = labels[-2:] if len(labels) > 2 and _is_jp_category(labels[-2:]) else labels[-1:]
        return f"{local[0] if len(local) > 1 else ''}***@***.{'.'.join(shown)}"

    def __repr__(self) -> str:
        """Masked, because a repr ends up in logs."""
        return f"<Address {self.masked} {self.kind}>"


def parse_address(typed: str) -> Address:
    """Return the address a person typed, or raise AddressError, with a correction if one is likely.

    Parsing ``used`` again gives the same ``used`` and the same ``lookup``.
    """
    try:
        return _parse(typed)
    except AddressError as error:
        error.suggestion = _repair(typed)
        raise


def contact_id(lookup: str, key: bytes) -> str:
    """Keyed name of the person behind ``Address.lookup``: 32 hex digits.

    HMAC-SHA256 truncated to its leftmost 128 bits, half the hash, the least RFC 2104 5 allows.
    """
    if not key:
        raise ValueError("contact_id needs a key: without one anybody could compute the id")
    return hmac.digest(key, lookup.encode(), "sha256")[:16].hex()


def untagged(lookup: str) -> str:
    """The mailbox behind ``name+tag@…``, where the provider has tags at all.

    Only for counting what one mailbox gets: who somebody is never depends on it.
    """
    local, _, domain = lookup.rpartition("@")
    return f"{local.partition('+')[0] or local}@{domain}"


# --- folding -------------------------------------------------------------------------------

# Default_Ignorable_Code_Point of Unicode. It includes the joiners that a few non-Japanese
# domain names need; those names can be entered in their xn-- form. Patterns are strings, so
# that they are compiled (and cached by re) only when somebody types something unusual.
_INVISIBLE = (
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e"
    "\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3"
    "\U0001d173-\U0001d17a\U000e0000-\U000e0fff]+"
)
_BLANK = " \t\r\n\u1680\u2028\u2029"
_CONTROL = "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]"
_WRAPPED = r"([^<>＜＞]*)[<＜]([^<>＜＞]*)[>＞]\s*"
_ELLIPSES = "‥…"  # what an input method makes of ".." and "...": old carrier addresses have them


def _fold(typed: str) -> str:
    """One spelling for everything that can only mean one thing; see the module's docstring."""
    text = typed
    if not text.isascii():
        text = re.sub(_INVISIBLE, "", text)
    text = _unwrap(text)
    if not text.isascii():
        for character in text:
            _check_folds_plainly(character)
        text = unicodedata.normalize("NFKC", text).replace("。", ".")
    text = text.strip(_BLANK)
    if text[:7].lower() == "mailto:":
        text = text[7:].strip(_BLANK)
        if "%" in text:
            raise AddressError("link_encoded")
    return "@".join(part.strip(" \t\u1680") for part in text.split("@"))


def _unwrap(text: str) -> str:
    """Take the address out of ``Name <address>``, unless the name is another address."""
    wrapped = re.fullmatch(_WRAPPED, text)
    if wrapped is None:
        return text
    name, inner = wrapped.groups()
    name = name.strip(_BLANK + "\"'")
    if ("@" in name or "＠" in name) and name.casefold() != inner.strip(_BLANK).casefold():
        return text
    return inner


def _check_folds_plainly(character: str) -> None:
    """Refuse ℀ (a/c), ㏂ (a.m.), ⑴ or ´ (space, accent): NFKC would rewrite the address."""
    if character.isascii() or character in _ELLIPSES:
        return
    folded = unicodedata.normalize("NFKC", character)
    if len(folded) > 1 and any(c.isascii() and not c.isalnum() for c in folded):
        raise AddressError("unusable_character", _shown(character))


def _shown(character: str) -> str:
    """A character as a page can show it: lone surrogates and the like by their number."""
    if character.isprintable() and not unicodedata.combining(character):
        return character
    return f"U+{ord(character):04X}"


# --- rules ---------------------------------------------------------------------------------

_NOT_IN_LOCAL = r"[^A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]"  # RFC 5322 atext and the dot
_NOT_IN_DOMAIN = r"[\x00-,/:-@\[-`{-\x7f]"  # ASCII that is no letter, digit, hyphen or dot
_JP_CATEGORIES = frozenset({"ac", "ad", "co", "ed", "go", "gr", "lg", "ne", "or"})

# Endings that do not exist, with what was meant. Endings of one letter never exist.
_IMPOSSIBLE_ENDINGS = {
    **dict.fromkeys(("j", "jpp", "jjp", "jpn", "jp0"), "jp"),
    **dict.fromkeys(
        ("c", "con", "cmo", "ocm", "comm", "coom", "ccom", "cim", "vom", "xom", "c0m", "lcom"),
        "com",
    ),
    **dict.fromkeys(("nett", "nte", "ner"), "net"),
    **{f"{category}jp": f"{category}.jp" for category in _JP_CATEGORIES},
}


def _parse(typed: str) -> Address:
    if len(typed) > MAX_TYPED:
        raise AddressError("too_long")
    text = _fold(typed)
    if not text:
        raise AddressError("empty")
    if control := re.search(_CONTROL, text):
        raise AddressError("control_character", _shown(control[0]))
    if '"' in text:
        raise AddressError("local_quoted")
    ats = text.count("@")
    if ats == 0:
        raise AddressError("at_missing")
    if ats > 1:
        raise AddressError("at_repeated", str(ats))
    if any(c in _BLANK for c in text):
        raise AddressError("space_inside")
    if len(text) > MAX_ADDRESS:
        raise AddressError("too_long")
    local, domain = text.split("@")
    domain = _check_domain(domain, typed)
    kind = _check_local(local, domain, typed)
    used = f"{local}@{domain}"
    if len(used) > MAX_ADDRESS:  # punycode is longer than what it stands for
        raise AddressError("too_long")
    return Address(typed=typed, used=used, lookup=used.lower(), kind=kind)


def _check_local(local: str, domain: str, typed: str) -> AddressKind:
    if not local:
        raise AddressError("local_missing")
    if wrong := re.search(_NOT_IN_LOCAL, local):
        raise _unusable(wrong[0], typed)
    if len(local) > MAX_LOCAL:
        raise AddressError("local_too_long")
    if local[0] != "." and local[-1] != "." and ".." not in local:
        return AddressKind.STANDARD
    if domain not in _LEGACY_CARRIERS or not local.strip("."):
        raise AddressError("local_dots")
    return AddressKind.LEGACY_CARRIER


def _check_domain(domain: str, typed: str) -> str:
    """The domain in lower-case ASCII, if mail could be sent to it."""
    if not domain:
        raise AddressError("domain_missing")
    if domain[0] == "[" or re.fullmatch(r"[0-9]+(\.[0-9]+){3}", domain):
        raise AddressError("domain_is_ip")
    if wrong := re.search(_NOT_IN_DOMAIN, domain):
        raise _unusable(wrong[0], typed)
    if domain[-1] == ".":
        raise AddressError("domain_ends_with_dot")
    if domain[0] == "." or ".." in domain:
        raise AddressError("domain_dots")
    domain = domain.lower()
    if not domain.isascii() or "xn--" in domain:
        domain = _to_idna(domain)
    _check_labels(domain.split("."))
    return domain


def _check_labels(labels: list[str]) -> None:
    if any(len(label) > MAX_LABEL for label in labels):
        raise AddressError("domain_label_too_long")
    if any(label[0] == "-" or label[-1] == "-" for label in labels):
        raise AddressError("domain_hyphen")
    if len(labels) == 1:
        raise AddressError("domain_without_dot")
    ending = labels[-1]
    if ending in _IMPOSSIBLE_ENDINGS or not re.fullmatch("[a-z]{2,}|xn--[a-z0-9-]+", ending):
        raise AddressError("domain_unknown_ending", ending)
    if _is_jp_category(labels):
        raise AddressError("domain_incomplete", ".".join(labels))


def _to_idna(domain: str) -> str:
    import idna  # noqa: PLC0415 - 12 ms that hardly anybody needs

    try:
        return idna.encode(domain, uts46=True, std3_rules=True).decode("ascii")
    except UnicodeError:
        raise AddressError("domain_not_idna") from None


def _is_jp_category(labels: list[str]) -> bool:
    """co.jp, ne.jp and so on: nobody's domain, only the end of one."""
    return len(labels) == 2 and labels[1] == "jp" and labels[0] in _JP_CATEGORIES


def _unusable(character: str, typed: str) -> AddressError:
    """Name the character as it was typed: 「；」, not the ";" it was folded to."""
    as_typed = next((c for c in typed if character in unicodedata.normalize("NFKC", c)), character)
    is_letter = character.isalpha()  # of another script: ASCII letters are usable
    return AddressError("local_not_ascii" if is_letter else "unusable_character", _shown(as_typed))


# --- likely corrections --------------------------------------------------------------------

# Where people in Japan have mail, the likelier first: corrections lead here.
_WELL_KNOWN = (
    *("gmail.com", "yahoo.co.jp", "docomo.ne.jp", "ezweb.ne.jp", "au.com", "softbank.ne.jp"),
    *("i.softbank.jp", "icloud.com", "hotmail.com", "hotmail.co.jp", "outlook.jp", "outlook.com"),
    *("ymobile.ne.jp", "rakuten.jp", "uqmobile.jp", "live.jp", "msn.com", "excite.co.jp"),
    *("nifty.com", "so-net.ne.jp", "ocn.ne.jp", "biglobe.ne.jp", "plala.or.jp", "dion.ne.jp"),
    *("mail.goo.ne.jp", "asahi-net.or.jp", "infoseek.jp", "eonet.ne.jp", "jcom.home.ne.jp"),
)

# Real domains that lie near one of the above: left alone.
_REAL_NEIGHBOURS = frozenset(
    {
        *("mail.com", "email.com", "ymail.com", "googlemail.com", "gmx.com", "gail.com"),
        *("yahoo.com", "yahoo.ne.jp", "yahoo.co.uk", "yahoo.ca", "yahoo.fr", "yahoo.de"),
        *("me.com", "mac.com", "cloud.com", "live.com", "live.ca", "live.fr", "aol.com", "aol.jp"),
        *("softbank.jp", "softbank.co.jp", "biz.au.com", "disney.ne.jp", "mineo.jp", "bbiq.jp"),
        *("nifty.ne.jp", "nifty.co.jp", "so-net.jp", "sannet.ne.jp", "odn.ne.jp", "ymobile1.ne.jp"),
        *("rakuten.co.jp", "rakuten.com", "excite.com", "infoseek.co.jp", "goo.jp", "goo.ne.jp"),
        *("docomo.com", "docomo.jp", "msn.co.jp", "icloud.com.cn", "zaq.ne.jp", "hotmail.ca"),
    }
)

# Too far away in letters, yet clear.
_MISTAKEN = {
    **{known[:-3]: known for known in _WELL_KNOWN if known.endswith(".ne.jp")},
    **dict.fromkeys(("yahoo", "yahoo.co", "yahoo.jp", "yahoo.or.jp"), "yahoo.co.jp"),
    **dict.fromkeys(("gmail", "gmail.jp", "gmail.co.jp", "gmail.ne.jp", "gmail.net"), "gmail.com"),
    **dict.fromkeys(("docomo", "docomo.co.jp", "docomo.or.jp"), "docomo.ne.jp"),
    **dict.fromkeys(("ezweb", "ezweb.jp", "ezweb.co.jp", "ezweb.or.jp"), "ezweb.ne.jp"),
    **dict.fromkeys(("au", "au.ne.jp", "au.co.jp"), "au.com"),
    **dict.fromkeys(("icloud", "icloud.jp", "icloud.co.jp", "icloud.ne.jp"), "icloud.com"),
    **dict.fromkeys(("i.softbank", "i.softbank.ne.jp", "i.softbank.co.jp"), "i.softbank.jp"),
    **dict.fromkeys(("softbank", "softbank.or.jp"), "softbank.ne.jp"),
    **dict.fromkeys(("hotmail", "hotmail.ne.jp"), "hotmail.com"),
    **dict.fromkeys(("outlook", "outlook.co.jp", "outlook.ne.jp"), "outlook.jp"),
    "ocn.co.jp": "ocn.ne.jp",
    "so-net.co.jp": "so-net.ne.jp",
}


def suggest(used: str) -> str | None:
    """The address probably meant by ``used``, or None. A hint only: it never refuses anything."""
    local, at, domain = used.rpartition("@")
    meant = _likely_domain(domain.lower()) if at and len(used) <= MAX_ADDRESS else None
    if meant is None:
        return None
    try:
        return _parse(f"{local}@{meant}").used
    except AddressError:
        return None


def _likely_domain(domain: str) -> str | None:
    body, dot, ending = domain.rpartition(".")
    fixed = body + dot + _IMPOSSIBLE_ENDINGS.get(ending, ending) if dot else domain
    fixed = _MISTAKEN.get(fixed, fixed)
    if fixed not in _WELL_KNOWN and fixed not in _REAL_NEIGHBOURS:
        fixed = _nearest(fixed) or fixed
    return fixed if fixed != domain else None


def _nearest(domain: str) -> str | None:
    """The well-known domain one slip away, or two for a long name with the same beginning and end.

    A short name must itself be right: Japan's cable providers are called ccn, dcn, icn, jcn …,
    each a letter away from ocn.
    """
    close = []
    for known in _WELL_KNOWN:
        name, _, rest = known.partition(".")
        if len(name) < 5 and not domain.startswith(name + "."):
            continue
        same_ends = domain[:1] == known[0] and domain.rpartition(".")[2] == rest.rpartition(".")[2]
        limit = 2 if len(name) > 5 and same_ends else 1
        distance = _slips(domain, known, limit)
        if distance <= limit:
            close.append((distance, known))
    return min(close, key=lambda pair: pair[0])[1] if close else None


def _slips(a: str, b: str, limit: int) -> int:
    """Letters added, dropped, replaced or swapped with their neighbour between ``a`` and ``b``.

    Damerau-Levenshtein distance (optimal string alignment); anything above ``limit`` may be
    reported as ``limit + 1``, which spares most of the work.
    """
    if abs(len(a) - len(b)) > limit or len(set(a) ^ set(b)) > 2 * limit:
        return limit + 1
    above: list[int] = []
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        before, above, row = above, row, [i]
        for j, y in enumerate(b, 1):
            steps = min(above[j] + 1, row[-1] + 1, above[j - 1] + (x != y))
            if i > 1 and j > 1 and x == b[j - 2] and y == a[i - 2]:
                steps = min(steps, before[j - 2] + 1)
            row.append(steps)
    return row[-1]


# Typed for "-", "." or "~" by an input method or a slip of the finger.
_HYPHENS = "(?<=[0-9A-Za-z])[‐‒–—―−ー](?=[0-9A-Za-z])"
_LOOKALIKES = str.maketrans({"、": ".", ",": ".", "〜": "~", '"': ""})


def _repair(typed: str) -> str | None:
    """The valid address a refused one probably stands for: every likely slip undone at once."""
    if len(typed) > MAX_TYPED:
        return None
    try:
        text = _fold(typed)
    except AddressError:
        return None
    text = re.sub(_HYPHENS, "-", text).translate(_LOOKALIKES)
    text = ".".join(part.strip(_BLANK) for part in text.split("."))
    local, _, domain = re.sub("@+", "@", text).rpartition("@")
    domain = re.sub(r"\.+", ".", domain).strip(".")
    domain = _likely_domain(domain.lower()) or domain
    for candidate in (local, re.sub(r"\.+", ".", local).strip(".")):
        try:
            return _parse(f"{candidate}@{domain}").used
        except AddressError:
            continue
    return None
