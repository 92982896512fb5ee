"""Output on terminals and in pipes that have no more letters than ASCII."""

from __future__ import annotations

import codecs
import sys
import unicodedata
from io import TextIOWrapper

SPELLED = {
    "×": "x",
    "·": "-",
    "–": "-",
    "—": "-",
    "−": "-",
    "∞": "infinite",
    "…": "...",
    "≥": ">=",
    "≤": "<=",
    "²": "^2",
}
"""What stands for characters that an encoding lacks; letters lose their accents, others become a question mark."""
_NAME = "pqcomq-plain"


def let_output_be_plain() -> None:
    """Spell out what standard output and error cannot encode, instead of ending with an error."""
    codecs.register_error(_NAME, _spelled)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors=_NAME)


def _spelled(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    text = error.object[error.start : error.end]
    return "".join(map(_plain, text)), error.end


def _plain(character: str) -> str:
    without_accent = unicodedata.normalize("NFKD", character)[0]
    return SPELLED.get(character, without_accent if without_accent.isascii() else "?")
