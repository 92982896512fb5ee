"""Lines of text in a picture, whatever characters a file's name brings."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from PIL import Image, ImageDraw, ImageFont

Colour = tuple[int, int, int]

SYSTEM_FONTS = (
    "DejaVuSans.ttf",
    "arial.ttf",
    "Arial Unicode.ttf",
    "NotoSansCJK-Regular.ttc",
    "msyh.ttc",
    "PingFang.ttc",
)
"""Tried by name for characters that Pillow's own font lacks."""
SPELLED = {"∞": "infinite", "×": "x", "–": "-", "—": "-", "≤": "<=", "≥": ">=", "²": "2", "µ": "u"}
"""What to write when no font at hand has a character."""


def plain_font(size: int) -> ImageFont.FreeTypeFont:
    """Pillow's own font, the same on every computer; it has the letters of English and little else."""
    font = ImageFont.load_default(size)
    if not isinstance(font, ImageFont.FreeTypeFont):
        raise TypeError("Pillow was built without FreeType, so text cannot be drawn")
    return font


def text_block(lines: Sequence[str], sizes: Sequence[int], colour: Colour, width: int, ground: Colour) -> Image.Image:
    """Draw lines of text, broken between words where they are too long.

    Args:
        lines: what to write.
        sizes: font size in pixels of each line.
        colour: of the letters.
        width: of the block in pixels.
        ground: behind the letters.

    Returns:
        The block, as high as the lines need.
    """
    rows = []
    for line, size in zip(lines, sizes, strict=True):
        text, font = lettered(line, size)
        rows += [(row, font) for row in _broken(text, font, width)]
    heights = [round(font.size * 1.45) for _, font in rows]
    block = Image.new("RGB", (width, max(1, sum(heights))), ground)
    draw = ImageDraw.Draw(block)
    top = 0
    for (row, font), height in zip(rows, heights, strict=True):
        draw.text((0, top + height // 2), row, colour, font, anchor="lm")
        top += height
    return block


def lettered(text: str, size: int) -> tuple[str, ImageFont.FreeTypeFont]:
    """A font that has all characters of a text; failing that, the text in characters that the plain font has."""
    plain = plain_font(size)
    if _has_all(plain, text):
        return text, plain
    for name in SYSTEM_FONTS:
        try:
            font = ImageFont.truetype(name, size)
        except OSError:
            continue
        if _has_all(font, text):
            return text, font
    return "".join(_spelled(character, plain) for character in text), plain


def _spelled(character: str, font: ImageFont.FreeTypeFont) -> str:
    if _has_all(font, character):
        return character
    without_accent = unicodedata.normalize("NFKD", character)[0]
    return SPELLED.get(character, without_accent if _has_all(font, without_accent) else "?")


def _has_all(font: ImageFont.FreeTypeFont, text: str) -> bool:
    # A font draws its box for missing glyphs, which U+FFFF, not a character, always is.
    missing = bytes(font.getmask("\uffff"))
    return all(character.isspace() or bytes(font.getmask(character)) != missing for character in set(text))


def _broken(line: str, font: ImageFont.FreeTypeFont, width: int) -> list[str]:
    rows = [""]
    for word in line.split():
        longer = f"{rows[-1]} {word}".strip()
        if font.getlength(longer) <= width or not rows[-1]:
            rows[-1] = longer
        else:
            rows.append(word)
    return rows
