"""Objects of then put together with those of now: drawn since, or read from a layer of boxes."""

from __future__ import annotations

import math
from dataclasses import astuple, replace

from napari_pqcomq.prompts.objects.drawn_object import MOST_OBJECTS, DrawnObject
from napari_pqcomq.translation import tr

_SAME_PLACE = 1e-3
"""Voxels: a layer of boxes keeps 32 bits of a number, and what is read from it differs in the last digits."""


def merged(kept: tuple[DrawnObject, ...], present: tuple[DrawnObject, ...]) -> tuple[DrawnObject, ...]:
    """The objects of then with their numbers, and those drawn since under numbers of their own.

    Args:
        kept: as they were.
        present: as they are now.

    Examples:
        >>> from pqcomq.segmentation.box import Box3D
        >>> liver, spleen = Box3D(0, 0, 0, 9, 9, 9), Box3D(20, 20, 0, 30, 30, 9)
        >>> now = DrawnObject(1, "liver", liver), DrawnObject(2, "spleen", spleen, False)
        >>> both = merged((DrawnObject(2, "liver", liver),), now)
        >>> [(each.number, each.name) for each in both]
        [(2, 'liver'), (1, 'spleen')]
    """
    found = list(kept)
    for each in present:
        taken = {prompt.number for prompt in found}
        number = next((n for n in range(1, MOST_OBJECTS + 1) if n not in taken), None)
        if number is not None and not any(_is_known(each, earlier) for earlier in kept):
            found.append(replace(each, number=number, compared=False))
    return tuple(found)


def asks_alike(one: DrawnObject, other: DrawnObject) -> bool:
    """Whether two objects ask the models the same, but for the digits that a layer of boxes does not keep."""
    if one.box is None or other.box is None:
        return one.asked == other.asked
    sides = zip(astuple(one.box), astuple(other.box), strict=True)
    return one.points == other.points and all(math.isclose(*each, rel_tol=0, abs_tol=_SAME_PLACE) for each in sides)


def _is_known(present: DrawnObject, kept: DrawnObject) -> bool:
    """Whether an object is one of then; read from a layer of boxes it has lost its points."""
    has_lost = kept.box is not None and not present.points
    return asks_alike(present, replace(kept, points=()) if has_lost else kept)


def as_before(boxed: tuple[DrawnObject, ...], before: tuple[DrawnObject, ...]) -> tuple[DrawnObject, ...]:
    """Objects read from a layer of boxes, which knows nothing else of them, with what they had.

    Numbers, ticks and points are those of before; so are objects without a box, which the layer does not know.

    Args:
        boxed: from the layer.
        before: told apart by their names, and those of one name by their order.

    Examples:
        >>> from pqcomq.segmentation.box import Box3D
        >>> from pqcomq.segmentation.prompt import PromptPoint
        >>> spleen = DrawnObject(1, "spleen", None, points=(PromptPoint(4, 5, 6),), span=(6, 6))
        >>> liver = DrawnObject(1, "liver", Box3D(0, 0, 0, 9, 9, 9))
        >>> [(each.number, each.name) for each in as_before((liver,), (spleen,))]
        [(2, 'liver'), (1, 'spleen')]
    """
    left = sorted(before, key=lambda each: each.box is None)  # of one name, who had a box has it
    owned = []
    for each in boxed:
        owned.append(next((earlier for earlier in left if earlier.name == each.name), None))
        left = [earlier for earlier in left if earlier is not owned[-1]]
    rest = [each for each in left if each.box is None]
    taken = {each.number for each in (*owned, *rest) if each is not None}
    found = []
    for each, own in zip(boxed, owned, strict=True):
        if own is not None:
            points = tuple(point for point in own.points if point.z in each.asked.slices)
            found.append(replace(each, number=own.number, compared=own.compared, points=points))
            continue
        number = next(number for number in range(1, len(boxed) + len(before) + 1) if number not in taken)
        taken.add(number)
        is_named = each.name != tr("Object {number}", number=each.number)
        found.append(replace(each, number=number, name=each.name if is_named else tr("Object {number}", number=number)))
    return (*found, *rest)
