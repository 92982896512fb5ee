"""The colours of objects, by their number: on the canvas, in kept masks, in written files and in reports.

All of them differ from one another and from the colours of the models. They were found by a search: each further one is
as far as can be, in CIE L*a*b*, from those before it and from those of the models, with trichromatic vision and with
simulated deuteranopia and protanopia. The first six stay apart with any of these visions, all forty with trichromatic
vision.
"""

from __future__ import annotations

# fmt: off
OBJECT_COLOURS = (
    "#3AFFDE", "#DE1A9D", "#FFDE9D", "#7C7CFF", "#BD3A5B", "#5B3AFF", "#FFA5A5", "#960FB4",
    "#F0A500", "#695A1E", "#3CD269", "#78F0FF", "#E10F3C", "#784B78", "#D2FF00", "#F078B4",
    "#78A569", "#6996F0", "#009678", "#C3F078", "#A55AC3", "#967800", "#A5FFC3", "#3C4BE1",
    "#87D22D", "#007896", "#0FB4C3", "#A5694B", "#0F5AC3", "#FF0F00", "#FFFF96", "#FFA569",
    "#A578C3", "#96A54B", "#FF96FF", "#FFC3A5", "#F02D78", "#3CC387", "#78F02D", "#B41E1E",
)
# fmt: on
"""Of the object numbers 1, 2, …; numbers beyond the last begin anew."""

Rgb = tuple[int, int, int]
"""Red, green, blue from 0 to 255."""


def object_colour(number: int) -> str:
    """The colour of an object, hexadecimal.

    Args:
        number: of the object, from 1.

    Examples:
        >>> from pqcomq.object_colours import object_colour
        >>> object_colour(1), object_colour(3)
        ('#3AFFDE', '#FFDE9D')
    """
    return OBJECT_COLOURS[(number - 1) % len(OBJECT_COLOURS)]


def rgb_of(colour: str) -> Rgb:
    """A hexadecimal colour as numbers.

    Examples:
        >>> from pqcomq.object_colours import rgb_of
        >>> rgb_of("#3AFFDE")
        (58, 255, 222)
    """
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return red, green, blue


def hex_of(shares: tuple[float, float, float]) -> str:
    """Red, green and blue from 0 to 1 as a hexadecimal colour.

    Examples:
        >>> from pqcomq.object_colours import hex_of
        >>> hex_of((1.0, 0.5, 0.0))
        '#FF8000'
    """
    return "#" + "".join(f"{round(255 * min(max(each, 0.0), 1.0)):02X}" for each in shares)
