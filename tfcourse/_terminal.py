r"""Output comes through whatever the terminal is: what its encoding lacks is written another way.

A pipe on a Chinese Windows is GBK, a Windows console may be cp1252, a bare container is ASCII; each
lacks some of α, ², − and ŷ, and Python's own answer is to end the program. Here they become alpha,
^2, - and y^. What has no such name is written as its number, as in \u6570.
"""

from __future__ import annotations

import codecs
import sys
import unicodedata
from contextlib import suppress

WRITTEN = {
    **{"−": "-", "–": "-", "—": "-", "×": "x", "·": "*", "•": "*", "…": "...", "√": "sqrt"},
    **{"→": "->", "←": "<-", "≥": ">=", "≤": "<=", "≈": "~", "≠": "!=", "±": "+-", "∞": "inf"},
    **{"∂": "d", "°": " degrees", "″": "''", "′": "'", "“": '"', "”": '"', "‘": "'", "’": "'"},
    **{"\u0302": "^", "\u0303": "~", "\u2581": "_", "\u2588": "#", "\xb5": "mu", "\u2044": "/"},
    "λ": "lambda",  # LAMDA, by its name
}
HANDLER = "tfcourse.written_another_way"


def prepare() -> None:
    """Have what stdout's and stderr's encodings lack written another way.

    A stream with an error handler of the user's own choice (PYTHONIOENCODING=ascii:replace) keeps
    it, and so does one that is no text file, such as a notebook's.
    """
    for stream in (sys.stdout, sys.stderr):
        if getattr(stream, "errors", None) in {"strict", "backslashreplace", "surrogateescape"}:
            reconfigure = getattr(stream, "reconfigure", None)
            if reconfigure:
                with suppress(OSError, ValueError):  # it is closed, or not what it was opened as
                    reconfigure(errors=HANDLER)


def plainly(character: str) -> str:
    """Write a character in ASCII: by its name, by what it is made of, or by its number."""
    if character.isascii():
        return character
    if character in WRITTEN:
        return WRITTEN[character]
    if unicodedata.combining(character):
        return ""  # an accent
    name = unicodedata.name(character, "")
    made_of = unicodedata.normalize("NFKD", character)
    if name.startswith("GREEK") and " LETTER " in name:
        letter = name.split(" LETTER ")[1].split(" ")[0].lower()
        return letter.capitalize() if "CAPITAL" in name else letter
    if name.startswith("BOX DRAWINGS"):
        return "-" if "HORIZONTAL" in name else "|"
    if made_of != character:
        raised = "^" if name.startswith(("SUPERSCRIPT", "MODIFIER LETTER")) else ""
        return raised + "".join(map(plainly, made_of))
    return character.encode("ascii", "backslashreplace").decode("ascii")


def _handle(error: UnicodeError) -> tuple[str | bytes, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    at = error.start
    character = error.object[at]
    if "\udc80" <= character <= "\udcff":  # a byte of a file's name that is no text: as it was
        return bytes([ord(character) - 0xDC00]), at + 1
    text = plainly(character)
    before = error.object[at - 1] if at else " "
    if text.startswith("^") and unicodedata.name(before, "").startswith("SUPERSCRIPT"):
        text = text[1:]  # 10⁻⁶ is 10^-6
    return text, at + 1


codecs.register_error(HANDLER, _handle)
