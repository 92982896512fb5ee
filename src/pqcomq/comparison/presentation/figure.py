"""One slice of a comparison as a picture: both models' masks side by side, each with its numbers.

Drawn by matplotlib like the plots, with its object-oriented part alone: no display, no pyplot, no global state.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import BinaryIO, Literal

import numpy as np
from matplotlib import font_manager
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.patches import Rectangle
from matplotlib.patheffects import withStroke

from pqcomq.comparison.presentation.close_up import close_up
from pqcomq.comparison.presentation.palette import (
    FULL_COLOUR,
    INSIDE_COLOUR,
    OUTSIDE_COLOUR,
    QUANTIZED_COLOUR,
    TRUTH_COLOUR,
)
from pqcomq.comparison.presentation.scale_bar import round_length
from pqcomq.segmentation.prompt import PromptPoint

WIDTH, MARGIN, TALLEST = 1280, 20, 640
"""Pixels: width of the picture, space round everything, greatest height of a panel."""
COLUMN = (WIDTH - 3 * MARGIN) // 2
"""Pixels: width of a side."""
DOTS_PER_INCH = 100
POINT = 72 / DOTS_PER_INCH
"""matplotlib's points a pixel."""
BACKGROUND, PLATE, TEXT, FAINT = "#101318", "#1E232B", "#ECEFF4", "#969EAA"
LEFT, RIGHT, TRUTH, BOX = FULL_COLOUR, QUANTIZED_COLOUR, TRUTH_COLOUR, "#FFFFFF"
OPACITY = 0.30
LINE_SPACING = 1.45
FONTS = ("DejaVu Sans", "Noto Sans CJK JP", "Noto Sans CJK SC", "Microsoft YaHei", "PingFang SC", "Arial Unicode MS")
"""matplotlib's own font, which every computer has, then some for the characters that it lacks."""


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
    points: Sequence[PromptPoint] = (),
    box_colour: str = BOX,
    scribble: np.ndarray | None = None,
) -> None:
    """Write one PNG, 1280 pixels wide: the object close up twice, with the reference's mask and the candidate's.

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
        points: of the prompt on this slice, drawn as + inside and − outside.
        box_colour: of the object.
        scribble: (y, x) bool, the prompt on this slice, filled in the object's colour, if there is one.

    Raises:
        ValueError: the arrays are not 2-D of one shape.
    """
    for mask in (left_mask, right_mask, *(() if truth is None else (truth,))):
        if image_slice.ndim != 2 or mask.shape != image_slice.shape:
            raise ValueError(f"expected arrays y x of one shape, not {image_slice.shape} and {mask.shape}")
    figure = Figure(dpi=DOTS_PER_INCH, facecolor=BACKGROUND)
    canvas = FigureCanvasAgg(figure)
    heading = _broken(canvas, [title], [19], WIDTH - 2 * MARGIN)
    plates = [
        _broken(canvas, lines, [16 if number else 20 for number in range(len(lines))], COLUMN - 40)
        for lines in (left_lines, right_lines)
    ]
    corners = () if box is None else ((box[0], box[1]), (box[2], box[3]))
    places = (*corners, *((each.x, each.y) for each in points))
    rows, columns = close_up((left_mask, right_mask, truth, scribble), places, spacing_yx)
    shown = rows.stop - rows.start, columns.stop - columns.start
    width, height = _panel_size(shown, spacing_yx)
    panel_top = MARGIN + _height(heading) + MARGIN
    plate_top = panel_top + height + MARGIN // 2
    plate_height = max(map(_height, plates)) + 24
    legend_top = plate_top + plate_height + MARGIN
    page = _page(figure, legend_top + 20 + MARGIN)
    _write(page, heading, MARGIN, MARGIN)
    for number, (mask, told, colour) in enumerate(zip((left_mask, right_mask), plates, (LEFT, RIGHT), strict=True)):
        left = MARGIN + number * (COLUMN + MARGIN)
        panel = _axes(figure, (left + (COLUMN - width) // 2, panel_top, width, height))
        _draw_panel(panel, image_slice, mask, truth, box, colour, box_colour)
        _mark_points(panel, points)
        if scribble is not None:
            panel.contourf(*_padded(scribble), levels=(0.5, 1.5), colors=[box_colour])
        panel.set(xlim=(columns.start - 0.5, columns.stop - 0.5), ylim=(rows.stop - 0.5, rows.start - 0.5))
        _orient(panel, width, height, spacing_yx[1] * shown[1] / width)
        page.add_patch(Rectangle((left, plate_top), COLUMN, plate_height, facecolor=PLATE))
        page.add_patch(Rectangle((left, plate_top), 6, plate_height, facecolor=colour))
        _write(page, told, left + 20, plate_top + 12)
    lines = [(TRUTH, "ground truth")] * (truth is not None) + [(box_colour, "box prompt")] * (box is not None)
    lines += [(box_colour, "scribble")] * (scribble is not None)
    _draw_legend(canvas, page, legend_top, lines)
    figure.savefig(target, format="png", dpi=DOTS_PER_INCH, facecolor=BACKGROUND, metadata={"Software": None})


def scale_bar_mm(width_mm: float) -> float:
    """The longest of 1, 2, 5, 10, 20, 50 … mm that is at most a quarter of a width in mm."""
    return round_length(width_mm / 4)


def _page(figure: Figure, height: int) -> Axes:
    """The whole picture, ``height`` pixels high, in pixels from its upper left corner."""
    figure.set_size_inches(WIDTH / DOTS_PER_INCH, height / DOTS_PER_INCH)
    page = figure.add_axes((0, 0, 1, 1), zorder=-1)
    page.set_axis_off()
    page.set(xlim=(0, WIDTH), ylim=(height, 0))
    return page


def _axes(figure: Figure, place: tuple[int, int, int, int]) -> Axes:
    """A part of the picture: left, top, width and height in pixels."""
    left, top, width, height = place
    whole = round(figure.get_figheight() * DOTS_PER_INCH)
    axes = figure.add_axes((left / WIDTH, 1 - (top + height) / whole, width / WIDTH, height / whole))
    axes.set_axis_off()
    return axes


def _panel_size(shape: tuple[int, ...], spacing_yx: tuple[float, float]) -> tuple[int, int]:
    """Width and height in pixels of a panel with the slice's true proportions."""
    height_mm, width_mm = shape[0] * spacing_yx[0], shape[1] * spacing_yx[1]
    scale = min(COLUMN / width_mm, TALLEST / height_mm)
    return max(1, round(width_mm * scale)), max(1, round(height_mm * scale))


def _draw_panel(
    panel: Axes,
    image_slice: np.ndarray,
    mask: np.ndarray,
    truth: np.ndarray | None,
    box: Sequence[float] | None,
    colour: str,
    box_colour: str,
) -> None:
    """The slice with a mask, the truth's outline and the prompt over it, in voxels."""
    rows, columns = image_slice.shape
    panel.imshow(image_slice, cmap="gray", vmin=0, vmax=255, interpolation="bicubic", aspect="auto")
    if mask.any():
        panel.contourf(*_padded(mask), levels=(0.5, 1.5), colors=[colour], alpha=OPACITY)
    for outlined, tint in ((truth, TRUTH), (mask, colour)):
        if outlined is not None and outlined.any():
            panel.contour(*_padded(outlined), levels=(0.5,), colors=[tint], linewidths=2 * POINT)
    if box is not None:
        x0, y0, x1, y1 = box
        # Pixel x1 belongs to the box, so its far edge is drawn; a box may already end at the image's edge.
        right, bottom = min(x1 + 1, columns), min(y1 + 1, rows)
        frame = Rectangle((x0 - 0.5, y0 - 0.5), right - x0, bottom - y0, fill=False, edgecolor=box_colour)
        frame.set(linewidth=2 * POINT, linestyle=(0, (4.5, 3)))
        panel.add_patch(frame)


def _mark_points(panel: Axes, points: Sequence[PromptPoint]) -> None:
    """Each point as a sign on a dark disc, legible on any picture."""
    for each in points:
        colour, sign = (INSIDE_COLOUR, "+") if each.positive else (OUTSIDE_COLOUR, "_")
        panel.plot(each.x, each.y, "o", color="black", markeredgecolor=colour, markersize=16 * POINT)
        panel.plot(each.x, each.y, sign, color=colour, markersize=10 * POINT, markeredgewidth=2.5 * POINT)


def _padded(mask: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A mask with a rim of background, which closes outlines at the edge, and the voxels' x and y."""
    rows, columns = mask.shape
    return np.arange(-1, columns + 1), np.arange(-1, rows + 1), np.pad(mask.astype(np.float32), 1)


def _orient(panel: Axes, width: int, height: int, mm_per_pixel: float) -> None:
    """Mark the patient's right and left, and draw a bar of a round number of millimetres."""
    _rimmed(panel, (8 / width, 0.5), "R", 18, ("left", "center"))
    _rimmed(panel, (1 - 8 / width, 0.5), "L", 18, ("right", "center"))
    length = scale_bar_mm(width * mm_per_pixel)
    right, left = width - 14, width - 14 - length / mm_per_pixel
    bar = Rectangle((left / width, 14 / height), (right - left) / width, 4 / height, facecolor=TEXT, edgecolor="black")
    bar.set(linewidth=POINT, transform=panel.transAxes)
    panel.add_patch(bar)
    _rimmed(panel, ((left + right) / 2 / width, 22 / height), f"{length:g} mm", 14, ("center", "bottom"))


def _rimmed(
    panel: Axes,
    place: tuple[float, float],
    text: str,
    size: int,
    anchor: tuple[Literal["left", "center", "right"], Literal["center", "bottom"]],
) -> None:
    """Letters that are legible on any picture, at a place given in shares of the panel."""
    rim = [withStroke(linewidth=4 * POINT, foreground="black")]
    panel.text(*place, text, font=_font(size), color=TEXT, ha=anchor[0], va=anchor[1], path_effects=rim,
               transform=panel.transAxes)  # fmt: skip


def _draw_legend(canvas: FigureCanvasAgg, page: Axes, top: float, lines: Sequence[tuple[str, str]]) -> None:
    """What the lines and colours mean, in a row."""
    entries = [(LEFT, "full precision's mask"), (RIGHT, "quantized model's mask"), *lines]
    x: float = MARGIN
    for colour, text in entries:
        page.add_patch(Rectangle((x, top + 5), 18, 8, facecolor=colour))
        page.text(x + 26, top + 9, text, font=_font(14), color=FAINT, va="center_baseline")
        x += 26 + _text_width(canvas, text, 14) + 28


_Row = tuple[str, int]
"""A row of text and the height of its letters in pixels."""


def _broken(canvas: FigureCanvasAgg, lines: Sequence[str], sizes: Sequence[int], width: int) -> list[_Row]:
    """Lines broken between words where they are wider than ``width`` pixels."""
    rows: list[_Row] = []
    for line, size in zip(lines, sizes, strict=True):
        row = ""
        for word in _drawable(line).split():
            longer = f"{row} {word}".strip()
            if row and _text_width(canvas, longer, size) > width:
                rows.append((row, size))
                row = word
            else:
                row = longer
        rows.append((row, size))
    return rows


def _height(rows: Sequence[_Row]) -> int:
    return sum(round(size * LINE_SPACING) for _row, size in rows)


def _write(page: Axes, rows: Sequence[_Row], left: float, top: float) -> None:
    for row, size in rows:
        height = round(size * LINE_SPACING)
        page.text(left, top + height / 2, row, font=_font(size), color=TEXT, va="center_baseline", parse_math=False)
        top += height


def _text_width(canvas: FigureCanvasAgg, text: str, size: int) -> float:
    """Pixels that a text takes."""
    renderer = canvas.get_renderer()  # type: ignore[no-untyped-call]
    return float(renderer.get_text_width_height_descent(text, _font(size), False)[0])


@cache
def _font(size: int) -> FontProperties:
    """Letters of ``size`` pixels."""
    return FontProperties(family=list(_families()), size=size * POINT)


@cache
def _families() -> tuple[str, ...]:
    """Those of ``FONTS`` that are here: asking for others is answered with a warning."""
    here = set(font_manager.get_font_names())
    return tuple(name for name in FONTS if name in here)


@cache
def _characters() -> frozenset[int]:
    """All that can be drawn."""
    fonts = [font_manager.get_font(font_manager.findfont(FontProperties(family=name))) for name in _families()]
    return frozenset(code for font in fonts for code in font.get_charmap())


def _drawable(text: str) -> str:
    """The text with a question mark for what no font here can draw."""
    return "".join(c if c.isspace() or ord(c) in _characters() else "?" for c in text)
