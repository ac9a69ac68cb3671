"""From bytes to text: MSH-18 (HL7 table 0211), and what is done where it is absent or not true."""

from __future__ import annotations

import codecs
import re
from functools import lru_cache

# HL7 table 0211, in capitals and without blanks, as the codecs of Python. UTF-16 and UTF-32 are missing on purpose:
# their bytes say it, and a message that only claims them is something else. Python has no codec for CNS 11643-1992.
_TABLE_0211 = {
    "ASCII": "ascii",
    "ISOIR6": "ascii",
    **{f"8859/{part}": f"iso8859-{part}" for part in (*range(1, 12), *range(13, 17))},
    "ISOIR14": "iso2022_jp_ext",
    "ISOIR87": "iso2022_jp_ext",
    "ISOIR159": "iso2022_jp_ext",
    "GB18030-2000": "gb18030",
    "KSX1001": "cp949",
    "BIG-5": "big5",
    "UNICODE": "utf-8",
    "UNICODEUTF-8": "utf-8",
}
# What senders write instead.
_ALIASES = {
    "UTF8": "utf-8",
    "UTF-8": "utf-8",
    "US-ASCII": "ascii",
    **{f"ISO{mark}8859-{part}": f"iso8859-{part}" for mark in ("", "-") for part in (*range(1, 12), *range(13, 17))},
    **{f"ISO8859/{part}": f"iso8859-{part}" for part in (*range(1, 12), *range(13, 17))},
    "LATIN1": "iso8859-1",
    "LATIN-1": "iso8859-1",
    **{f"{name}{page}": f"cp{page}" for name in ("CP", "WINDOWS-") for page in range(1250, 1259)},
    "GB18030": "gb18030",
    "GBK": "gbk",
    "GB2312": "gb2312",
    "BIG5": "big5",
    "EUC-KR": "cp949",
    "EUC-JP": "euc_jp",
    "SHIFT_JIS": "cp932",
    "SHIFT-JIS": "cp932",
}
_CODECS = _TABLE_0211 | _ALIASES
_SHIFTED = "iso2022_jp_ext"
_BOMS = (
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_WIDE = re.compile(rb"\s*(?:[MFB]\0\0\0[SH](\0\0\0)|[MFB]\0[SH](\0)|\0\0\0[MFB](\0\0\0)[SH]|\0[MFB](\0)[SH])")
_WIDE_CODECS = ("", "utf-32-le", "utf-16-le", "utf-32-be", "utf-16-be")


def is_plain(data: bytes) -> bool:
    """Bytes that mean the same in every character set of the table: ASCII without shifts."""
    return data.isascii() and b"\x1b" not in data and b"\0" not in data


@lru_cache(maxsize=256)
def codec_of(name: str) -> str:
    """The Python codec of one or several (with `~`) values of table 0211; "" when none is known.

    Where a set is switched by ISO 2022 escapes, its codec reads the first set as well.
    """
    known = [found for part in name.split("~") if (found := _CODECS.get("".join(part.upper().split()), ""))]
    return _SHIFTED if _SHIFTED in known else next(iter(known), "")


def decode(data: bytes, given: str) -> tuple[str, str, bool]:
    """Text, the codec that read it, and whether that was a guess; `given` is the feed's own setting or "".

    The bytes themselves (byte order mark, zero bytes) go first, then MSH-18, then `given`, then UTF-8, and at last
    Latin-1, which reads everything.
    """
    shown = wide_codec(data) or ("utf-8" if data.startswith(codecs.BOM_UTF8) else "")
    stated = [name for name in (shown, codec_of(_declared(data)), codec_of(given)) if name]
    for name in (*stated, "utf-8"):
        try:
            return data.decode(name), name, name not in stated
        except UnicodeDecodeError:
            continue
    return data.decode("latin-1"), "latin-1", True


def wide_codec(data: bytes) -> str:
    """UTF-16 or UTF-32, when a byte order mark or the zero bytes of the header show it; else ""."""
    for mark, name in _BOMS:
        if data.startswith(mark):
            return name
    match = _WIDE.match(data)
    return _WIDE_CODECS[match.lastindex or 0] if match else ""


def _declared(data: bytes) -> str:
    """MSH-18 of bytes in a character set that holds ASCII; "" when there is none."""
    at = data.find(b"MSH")
    if at < 0:
        return ""
    header = re.split(rb"[\r\n]", data[at:], maxsplit=1)[0]
    fields = header.split(header[3:4] or b"|")
    return fields[17].decode("latin-1") if len(fields) > 17 else ""
