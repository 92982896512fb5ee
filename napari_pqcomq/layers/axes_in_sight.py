"""Which of a volume's axes are on screen, whatever is open beside it: the layers of a series have more axes."""

from __future__ import annotations

from typing import cast

from napari.components import Dims

Axes = tuple[int, int, int]


def axes_in_sight(dims: Dims) -> Axes | None:
    """The volume's axes z y x, counted from 0: the one that slices are cut along, the one down, the one across.

    Layers of more axes have theirs before the volume's.

    Args:
        dims: the viewer's.

    Returns:
        None where an axis that the volume has not takes the place of one of them.

    Examples:
        >>> axes_in_sight(Dims(ndim=3, order=(1, 0, 2)))
        (1, 0, 2)
        >>> axes_in_sight(Dims(ndim=4, order=(0, 2, 1, 3)))
        (1, 0, 2)
        >>> axes_in_sight(Dims(ndim=4, order=(3, 0, 1, 2)))
    """
    axes = tuple(int(axis) - dims.ndim + 3 for axis in dims.order[-3:])
    return cast(Axes, axes) if sorted(axes) == [0, 1, 2] else None


def is_axial(dims: Dims) -> bool:
    """Whether axial slices are on screen, the patient's right on the left."""
    return dims.ndisplay == 2 and axes_in_sight(dims) == (0, 1, 2)
