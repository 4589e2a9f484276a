"""Bytes to text, whatever the label says: Japanese mail as it is found in the wild.

ISO-2022-JP by the book has neither ①, ㈱ and 髙 nor half-width kana; everybody sends them. They
stand in rows that NEC and IBM added, and cp932 is the same table under other numbers. So JIS
and EUC pairs are renumbered and read as cp932. It also gives ～ and － as Windows shows them.
"""

from __future__ import annotations

import codecs
import re

REPLACED = "\ufffd"  # stands for what could not be read

_ALIASES = {
    "cp50220": "jis", "cp50221": "jis", "cp50222": "jis", "csiso2022jp": "jis", "jis": "jis",
    "windows-31j": "cp932", "x-sjis": "cp932", "x-ms-cp932": "cp932", "ms_kanji": "cp932",
    "sjis-win": "cp932", "cp943": "cp932", "shift-jis": "cp932",
    "x-euc-jp": "euc_jp", "euc": "euc_jp", "eucjp-ms": "euc_jp", "eucjp-win": "euc_jp",
    "cp51932": "euc_jp", "ks_c_5601-1987": "cp949",
}  # fmt: skip
_LABEL = re.compile(r"[a-z0-9][a-z0-9_.:-]{1,30}")
# Python's names, after the aliases. Nothing else is tried: idna or punycode are codecs too.
_KNOWN = re.compile(
    r"ascii|utf-(?:7|8|16|32)(?:-[bl]e)?|iso8859-\d+|cp(?:125\d|874|949|950|866|437|850)|koi8-[rut]"
    r"|euc_(?:jp|kr|jis_2004|jisx0213)|cp932|big5|gb18030|gbk|gb2312|hz|iso2022_kr|johab|tis-620"
)
# The bytes are ASCII, or full of NULs, and mean something else.
_DISGUISED = re.compile(r"utf-(?:7|16|32).*|hz|iso2022_kr")
_WESTERN = frozenset({"ascii", "iso8859-1", "iso8859-15", "cp1252"})
_WIDER = {
    "shift_jis": "cp932", "shift_jis_2004": "cp932", "shift_jisx0213": "cp932",
    "gb2312": "gb18030", "gbk": "gb18030",
}  # fmt: skip
_JAPANESE = re.compile("[\u3041-\u30ff\u4e00-\u9fff]")
_HALF_WIDTH = re.compile("[\uff61-\uff9f]")
_C1 = re.compile(rb"[\x80-\x9f]")

# What Python takes single bytes for that no character has.
_NOT_CP932 = dict.fromkeys([0x80, 0xF8F0, 0xF8F1, 0xF8F2, 0xF8F3], REPLACED)

_RUN = re.compile(rb"\x1b(\$\(?[@-Q]|\([@-J])([^\x1b\r\n]*)|([^\x1b]+)|\x1b")
_ROWS = frozenset({b"$@", b"$B", b"$(@", b"$(B"})
_SINGLE = re.compile(rb"\([@-HJ]")
_ESCAPES = re.compile(rb"\x1b(?:\$[(]?[@-Q]|\([IJ])")
_SHIFTED = re.compile(rb"\x0e([^\x0f\r\n]*)\x0f?")
_EUC = re.compile(
    rb"(?P<rows>(?:[\xa1-\xfe]{2})+)|\x8e(?P<kana>[\xa1-\xdf])|(?P<plain>[\x00-\x7f]+)"
    rb"|(?P<rest>\x8f[\xa1-\xfe]{2}|.)",
    re.DOTALL,
)
# C0 but tab and line feed, C1, surrogates, noncharacters, BOM, and what turns text around.
_UNWANTED = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufeff\ufffe\uffff"
    "\u200e\u200f\u202a-\u202e\u2066-\u2069]"
)


def decoded(data: bytes, label: str = "") -> str:
    """The text. ``REPLACED`` stands where no reading made sense."""
    name = codec_of(label)
    if _DISGUISED.fullmatch(name):
        return data.decode(name, "replace")
    if _ESCAPES.search(data) or (name == "jis" and b"\x0e" in data):
        return "".join(map(_run, _RUN.finditer(data)))
    if data.isascii():
        return data.decode("ascii")
    unicode = _strictly(data, "utf-8")
    if unicode is not None and (name in {"", "jis"} or _JAPANESE.search(unicode)):
        return unicode
    if name and name != "jis" and not (name in _WESTERN and _C1.search(data)):
        labelled = _euc(data) if name == "euc_jp" else _strictly(data, name)
        if labelled is not None and REPLACED not in labelled:
            return labelled
    return unicode if unicode is not None else _guessed(data, name)


def codec_of(label: str) -> str:
    """Python's name of a charset label; ``jis`` for all of ISO-2022-JP; empty if unknown."""
    label = label.strip(" \t\"'").lower().partition("*")[0]
    if label.startswith("iso-2022-jp"):
        return "jis"
    label = _ALIASES.get(label, label)
    if label == "jis" or not _LABEL.fullmatch(label):
        return label if label == "jis" else ""
    try:
        name = codecs.lookup(label).name
    except LookupError:
        return ""
    name = "jis" if name.startswith("iso2022_jp") else _WIDER.get(name, name)
    return name if name == "jis" or _KNOWN.fullmatch(name) else ""


def clean(text: str) -> str:
    """Without control characters and surrogates; lines end in a line feed."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return _UNWANTED.sub("", text.replace("\u2028", "\n").replace("\u2029", "\n"))


def is_japanese(text: str) -> bool:
    """Whether there is kana or kanji in it."""
    return bool(_JAPANESE.search(text) or _HALF_WIDTH.search(text))


def _cp932(data: bytes | bytearray) -> str:
    return data.decode("cp932", "replace").translate(_NOT_CP932)


def _strictly(data: bytes, name: str) -> str | None:
    """The text, or None where it is not of that charset. A character cut off at the end is."""
    try:
        text = data.decode(name)
        return None if name == "cp932" and text != text.translate(_NOT_CP932) else text
    except UnicodeDecodeError as error:
        if error.end < len(data) or error.start == 0:
            return None
        return data[: error.start].decode(name, "replace")


def _guessed(data: bytes, name: str) -> str:
    """Shift_JIS or EUC: read the wrong way, either is full of half-width kana."""
    label = "utf-8" if name in {"", "jis", *_WESTERN} else name
    likely = _with_holes(data, label)
    if likely.count(REPLACED) * 50 <= len(likely):  # a byte went wrong here and there
        return likely
    found = [
        text for text in (_euc(data), _strictly(data, "cp932")) if text and REPLACED not in text
    ]
    if found:
        return min(found, key=lambda text: len(_HALF_WIDTH.findall(text)))
    if name in _WESTERN - {"ascii"}:
        return _with_holes(data, "cp1252")
    if name == label:
        return likely
    tried = [likely, _cp932(data), _euc(data)]
    return min(tried, key=lambda text: text.count(REPLACED) + len(_HALF_WIDTH.findall(text)))


def _with_holes(data: bytes, name: str) -> str:
    if name == "euc_jp":
        return _euc(data)
    return _cp932(data) if name == "cp932" else data.decode(name, "replace")


def _run(found: re.Match[bytes]) -> str:
    """What stands between two escape sequences. A line's end goes back to ASCII (RFC 1468)."""
    mode, data, plain = found.groups()
    if plain is not None:
        return _single(plain)
    if mode is None:
        return ""  # an escape character alone
    if mode in _ROWS:
        return _rows(data)
    if mode == b"(I":
        return _kana(data)
    if _SINGLE.fullmatch(mode):
        return _single(data)  # JIS-Roman too: a URL's ~ must stay one
    whole = b"\x1b" + mode + data + b"\x1b(B"
    read = (_strictly(whole, f"iso2022_jp_{version}") for version in ("ext", "2", "2004", "3"))
    return next((text for text in read if text is not None), REPLACED)


def _single(data: bytes) -> str:
    """ASCII, where SO begins half-width kana, and stray 8-bit bytes are Shift_JIS."""
    if b"\x0e" in data:
        data = _SHIFTED.sub(lambda shifted: bytes(b | 0x80 for b in shifted[1]), data)
    return _cp932(data)


def _kana(data: bytes) -> str:
    return _cp932(bytes(b | 0x80 if 0x20 < b < 0x60 else b for b in data))


def _rows(data: bytes) -> str:
    """Pairs of JIS X 0208 and its vendor rows, renumbered to cp932."""
    renumbered = bytearray()
    at, end = 0, len(data) - 1
    while at <= end:
        first = data[at]
        if at == end or not (0x20 < first < 0x7F and 0x20 < (second := data[at + 1]) < 0x7F):
            renumbered.append(first)
            at += 1
            continue
        lead = (first - 0x21) // 2 + 0x81
        renumbered.append(lead if lead < 0xA0 else lead + 0x40)
        renumbered.append(second + (0x7E if not first % 2 else 0x20 if second > 0x5F else 0x1F))
        at += 2
    return _cp932(renumbered)


def _euc(data: bytes) -> str:
    return "".join(map(_euc_run, _EUC.finditer(data)))


def _euc_run(found: re.Match[bytes]) -> str:
    if found["plain"]:
        return found["plain"].decode("ascii")
    if found["rows"]:
        return _rows(bytes(b & 0x7F for b in found["rows"]))
    if found["kana"]:
        return found["kana"].decode("cp932")
    return found["rest"].decode("euc_jp", "replace")
