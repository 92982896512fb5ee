"""The colours of a comparison, the same on the canvas, in pictures and in plots.

From the palettes of Okabe and Ito and of Paul Tol, which stay apart with any colour vision and on any grey. Red and
blue tell the models apart and nothing else; objects have colours of their own.
"""

from __future__ import annotations

FULL_COLOUR = "#E8743B"
"""Full precision: its heading, and what it alone segmented. Vermilion, lightened for small type on black."""
QUANTIZED_COLOUR = "#56B4E9"
"""The quantized model: its heading, and what it alone segmented."""
BOTH_COLOUR = "#C8C8C8"
"""What both segmented."""
TRUTH_COLOUR = "#FAF05A"

OBJECT_COLOURS = ("#44BB99", "#CC79A7", "#99DDAA", "#AA88DD", "#FFAABB", "#999933")
"""Of masks and boxes, by the object's number, repeating after the last."""


def object_colour(index: int) -> str:
    """The colour of object ``index``."""
    return OBJECT_COLOURS[index % len(OBJECT_COLOURS)]
