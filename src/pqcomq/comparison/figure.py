"""One slice of a comparison as a picture: both models' masks side by side, each with its numbers.

Drawn with Pillow, which napari brings along; it needs no display, no pyplot and no global state.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image, ImageChops, ImageColor, ImageDraw, ImageFilter, ImageFont

from pqcomq.comparison.palette import FULL_COLOUR, QUANTIZED_COLOUR, TRUTH_COLOUR
from pqcomq.comparison.text_drawing import Colour, plain_font, text_block

WIDTH, MARGIN, TALLEST = 1280, 20, 640
"""Pixels: width of the picture, space round everything, greatest height of a panel."""
FINE = 2
"""Panels are drawn this much larger and scaled down, for smooth outlines."""
BACKGROUND, PLATE, TEXT, FAINT = (16, 19, 24), (30, 35, 43), (236, 239, 244), (150, 158, 170)
LEFT, RIGHT, TRUTH = (ImageColor.getrgb(colour)[:3] for colour in (FULL_COLOUR, QUANTIZED_COLOUR, TRUTH_COLOUR))
BOX = (255, 255, 255)
OPACITY = 0.30


def draw_comparison(
    target: Path | BinaryIO,
    image_slice: np.ndarray,
    left_mask: np.ndarray,
    right_mask: np.ndarray,
    box: Sequence[float] | None,
    truth: np.ndarray | None,
    left_lines: Sequence[str],
    right_lines: Sequence[str],
    title: str,
    spacing_yx: tuple[float, float],
) -> None:
    """Write one PNG, 1280 pixels wide: the slice twice, with the reference's mask and with the candidate's.

    Args:
        target: file or binary stream.
        image_slice: (y, x) uint8 as the models saw it, in LPS order: the patient's right is on the left.
        left_mask: (y, x), true inside.
        right_mask: (y, x), true inside.
        box: the prompt x0, y0, x1, y1 in pixels, if it is to be seen.
        truth: (y, x) ground truth, drawn as an outline, if there is one.
        left_lines: what the left plate says; its first line is the heading.
        right_lines: what the right plate says.
        title: line above both.
        spacing_yx: mm between pixel centres, y x.

    Raises:
        ValueError: the arrays are not 2-D of one shape.
    """
    for mask in (left_mask, right_mask, *(() if truth is None else (truth,))):
        if image_slice.ndim != 2 or mask.shape != image_slice.shape:
            raise ValueError(f"expected arrays y x of one shape, not {image_slice.shape} and {mask.shape}")
    column = (WIDTH - 3 * MARGIN) // 2
    size = _panel_size(image_slice.shape, spacing_yx, column)
    sides = []
    for mask, lines, colour in ((left_mask, left_lines, LEFT), (right_mask, right_lines, RIGHT)):
        panel = _panel(image_slice, mask, truth, box, colour, size)
        _orient(panel, spacing_yx[1] * image_slice.shape[1] / size[0])
        sides.append((panel, _plate(lines, column), colour))
    heading = text_block([title], [19], TEXT, WIDTH - 2 * MARGIN, BACKGROUND)
    legend = _legend(box is not None, truth is not None)
    _assembled(heading, sides, legend, column).save(target, format="PNG")


def _assembled(
    heading: Image.Image, sides: list[tuple[Image.Image, Image.Image, Colour]], legend: Image.Image, column: int
) -> Image.Image:
    """Heading above, panels and plates in two columns, legend below."""
    panel_top = heading.height + 2 * MARGIN
    plate_top = panel_top + sides[0][0].height + MARGIN // 2
    plate_height = max(plate.height for _, plate, _ in sides)
    bottom = plate_top + plate_height + MARGIN
    page = Image.new("RGB", (WIDTH, bottom + legend.height + MARGIN), BACKGROUND)
    page.paste(heading, (MARGIN, MARGIN))
    for number, (panel, plate, colour) in enumerate(sides):
        left = MARGIN + number * (column + MARGIN)
        page.paste(panel, (left + (column - panel.width) // 2, panel_top))
        page.paste(PLATE, (left, plate_top, left + column, plate_top + plate_height))
        page.paste(plate, (left, plate_top))
        page.paste(colour, (left, plate_top, left + 6, plate_top + plate_height))
    page.paste(legend, (MARGIN, bottom))
    return page


def _panel_size(shape: tuple[int, ...], spacing_yx: tuple[float, float], column: int) -> tuple[int, int]:
    """Width and height in pixels of a panel with the slice's true proportions."""
    height_mm, width_mm = shape[0] * spacing_yx[0], shape[1] * spacing_yx[1]
    scale = min(column / width_mm, TALLEST / height_mm)
    return max(1, round(width_mm * scale)), max(1, round(height_mm * scale))


def _panel(
    image_slice: np.ndarray,
    mask: np.ndarray,
    truth: np.ndarray | None,
    box: Sequence[float] | None,
    colour: Colour,
    size: tuple[int, int],
) -> Image.Image:
    """The slice with a mask, the truth's outline and the prompt over it."""
    fine = size[0] * FINE, size[1] * FINE
    page = Image.fromarray(image_slice.astype(np.uint8)).resize(fine, Image.Resampling.BICUBIC).convert("RGB")
    inside = _enlarged(mask, fine)
    page.paste(colour, mask=inside.point(lambda value: value * OPACITY))
    if truth is not None:
        page.paste(TRUTH, mask=_outline(_enlarged(truth, fine), 2))
    page.paste(colour, mask=_outline(inside, 2))
    if box is not None:
        x0, y0, x1, y1 = box
        # Pixel x1 belongs to the box, so its far edge is drawn; a box may already end at the image's edge.
        edges = np.array([x0, y0, min(x1 + 1, mask.shape[1]), min(y1 + 1, mask.shape[0])])
        _dashed_box(ImageDraw.Draw(page), edges * np.array(fine * 2) / np.array(mask.shape[::-1] * 2))
    return page.resize(size, Image.Resampling.LANCZOS)


def _enlarged(mask: np.ndarray, size: tuple[int, int]) -> Image.Image:
    """A mask at the panel's size, its steps smoothed within half a voxel; 0 or 255."""
    stretched = Image.fromarray(mask.astype(bool).astype(np.uint8) * 255).resize(size, Image.Resampling.BILINEAR)
    return stretched.point(lambda value: 255 * (value > 127))


def _outline(inside: Image.Image, half_width: int) -> Image.Image:
    """The rim of an enlarged mask."""
    kernel = 2 * half_width + 1
    return ImageChops.subtract(
        inside.filter(ImageFilter.MaxFilter(kernel)), inside.filter(ImageFilter.MinFilter(kernel))
    )


def _dashed_box(draw: ImageDraw.ImageDraw, edges: np.ndarray) -> None:
    x0, y0, x1, y1 = edges.tolist()
    dash, period, width = 9 * FINE, 15 * FINE, FINE + 1
    for start in np.arange(x0, x1, period).tolist():
        for y in (y0, y1):
            draw.line((start, y, min(start + dash, x1), y), BOX, width)
    for start in np.arange(y0, y1, period).tolist():
        for x in (x0, x1):
            draw.line((x, start, x, min(start + dash, y1)), BOX, width)


def _orient(panel: Image.Image, mm_per_pixel: float) -> None:
    """Mark the patient's right and left, and draw a bar of a round number of millimetres."""
    draw = ImageDraw.Draw(panel)
    font = plain_font(18)
    middle = panel.height // 2
    _outlined(draw, (8, middle), "R", font, "lm")
    _outlined(draw, (panel.width - 8, middle), "L", font, "rm")
    length = scale_bar_mm(panel.width * mm_per_pixel)
    right, bottom = panel.width - 14, panel.height - 14
    left = right - round(length / mm_per_pixel)
    draw.rectangle((left - 1, bottom - 4, right + 1, bottom + 1), fill=(0, 0, 0))
    draw.rectangle((left, bottom - 3, right, bottom), fill=TEXT)
    _outlined(draw, ((left + right) // 2, bottom - 9), f"{length:g} mm", plain_font(14), "mb")


def scale_bar_mm(width_mm: float) -> float:
    """The longest of 1, 2, 5, 10, 20, 50 … mm that is at most a quarter of a width in mm."""
    decade = 10.0 ** np.floor(np.log10(width_mm / 4))
    # The decade may be rounded up past the quarter by a hair; half of it is then the answer.
    return float(max(step * decade for step in (0.5, 1, 2, 5) if step * decade <= width_mm / 4))


def _outlined(
    draw: ImageDraw.ImageDraw, place: tuple[int, int], text: str, font: ImageFont.FreeTypeFont, anchor: str
) -> None:
    draw.text(place, text, TEXT, font, anchor=anchor, stroke_width=2, stroke_fill=(0, 0, 0))


def _plate(lines: Sequence[str], width: int) -> Image.Image:
    """A plate with a heading and the other lines."""
    text = text_block(lines, [16 if number else 20 for number in range(len(lines))], TEXT, width - 40, PLATE)
    plate = Image.new("RGB", (width, text.height + 24), PLATE)
    plate.paste(text, (20, 12))
    return plate


def _legend(with_box: bool, with_truth: bool) -> Image.Image:
    """What the lines and colours mean."""
    entries = [(LEFT, "reference mask"), (RIGHT, "candidate mask")]
    entries += [(TRUTH, "ground truth")] * with_truth + [(BOX, "box prompt")] * with_box
    legend = Image.new("RGB", (WIDTH - 2 * MARGIN, 20), BACKGROUND)
    draw = ImageDraw.Draw(legend)
    x, font = 0, plain_font(14)
    for colour, text in entries:
        draw.rectangle((x, 5, x + 18, 13), fill=colour)
        draw.text((x + 26, 9), text, FAINT, font, anchor="lm")
        x += 26 + round(draw.textlength(text, font)) + 28
    return legend
