"""Objects of then beside those drawn since."""

from __future__ import annotations

from dataclasses import replace

from napari_pqcomq.prompts.prompted_object import MOST_OBJECTS, Prompt


def merged(kept: tuple[Prompt, ...], present: tuple[Prompt, ...]) -> tuple[Prompt, ...]:
    """The objects of then with their numbers, and those drawn since under numbers of their own.

    Args:
        kept: as they were.
        present: as they are now.

    Examples:
        >>> from pqcomq.segmentation.box import Box3D
        >>> liver, spleen = Box3D(0, 0, 0, 9, 9, 9), Box3D(20, 20, 0, 30, 30, 9)
        >>> both = merged((Prompt(2, "liver", liver),), (Prompt(1, "liver", liver), Prompt(2, "spleen", spleen, False)))
        >>> [(each.number, each.name) for each in both]
        [(2, 'liver'), (1, 'spleen')]
    """
    known = {each.asked for each in kept}
    found = list(kept)
    for each in present:
        taken = {prompt.number for prompt in found}
        number = next((n for n in range(1, MOST_OBJECTS + 1) if n not in taken), None)
        if each.asked not in known and number is not None:
            found.append(replace(each, number=number, compared=False))
    return tuple(found)
