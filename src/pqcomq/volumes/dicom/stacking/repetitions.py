"""Volumes that lie in one series at the same places, or between one another's slices, taken apart.

Everything that a header says of a slice is a clue: echo, time, diffusion, acquisition, kernel …, the order of its
number and of its times. A clue is believed only where each volume that it makes is a stack of its own, evenly spaced
with one slice a place. Where none is, the planes stay together, and what is wrong with them is asked about.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterator, Sequence
from itertools import pairwise

import numpy as np

from pqcomq.volumes.dicom.headers import MARKS, TIMES, PlaneHeader
from pqcomq.volumes.dicom.stacking.even_spacing import EVENNESS, SAME_PLACE, doubled, heights, is_stack

Planes = list[PlaneHeader]
Volumes = list[tuple[str, Planes]]
"""Planes with what they have in common, e.g. ``("echo 2", planes)``."""
TOGETHER = "all together"
"""Label of the stack that others make up; it mixes what something tells apart."""
MOST_TRIES = 2000
"""Ways of taking planes apart that are tried; only headers made to that end ask for more."""
_Values = Sequence[Hashable]
_Clue = tuple[str, Callable[[Planes], _Values | None]]
"""Name for people, and what gives each plane's value; None where it does not apply."""


def volumes_of(planes: Planes) -> tuple[Volumes, str]:
    """Take planes of one size and direction apart.

    Args:
        planes: in any order.

    Returns:
        The volumes, a single one without a label where there is nothing to be taken apart; and a clause that says why
        there are several.
    """
    if len(planes) == 1 or not planes[0].placed:
        return [("", planes)], ""
    if is_stack(planes):
        passes = _between(planes)
        if passes is None:
            return [("", planes)], ""
        return [*passes, (TOGETHER, planes)], "has slices of several passes between one another"
    found = _split(planes, [*_NAMED, *_ORDERED], is_stack)
    if found is None and (repeats := doubled(np.sort(heights(planes)))):
        # A slice may be missing from one of several repetitions, which is asked about once it is chosen.
        found = _split(planes, _NAMED, lambda members: not doubled(np.sort(heights(members)))) if repeats else None
    if found is None or (not doubled(np.sort(heights(planes))) and not _overlap([m for _label, m in found])):
        return [("", planes)], ""
    return found, "has several images at each place (time points, echoes or the like)"


def differing(planes: Sequence[PlaneHeader]) -> list[str]:
    """What the slices of one stack do not have in common though they should, e.g. ``"acquisition (1, 2)"``."""
    found = []
    for name, values_of in _NAMED[: -len(TIMES)]:
        values = values_of(list(planes))
        # More values than half of the slices belong to the slice and not to the volume.
        if values is not None and 1 < (count := len(set(values))) <= max(2, len(planes) // 2):
            listed = ", ".join(sorted({"none" if v is None else str(v) for v in values}, key=_natural)[:4])
            found.append(f"{name} ({listed}{', …' if count > 4 else ''})")
    return found


def _split(
    planes: Planes, clues: Sequence[_Clue], fits: Callable[[Planes], bool], tries: Iterator[int] | None = None
) -> Volumes | None:
    """Take planes apart by one clue after the other until all volumes fit; None where they do not, or tries run out."""
    tries = iter(range(MOST_TRIES)) if tries is None else tries
    if next(tries, None) is None:
        return None
    if fits(planes):
        return [("", planes)]
    for index, (name, values_of) in enumerate(clues):
        groups = _groups(planes, values_of(planes))
        if groups is None:
            continue
        volumes: Volumes = []
        for value, members in groups:
            inner = _split(members, clues[index + 1 :], fits, tries)
            if inner is None:
                break
            volumes += [(", ".join(filter(None, (f"{name} {value}", label))), each) for label, each in inner]
        else:
            return volumes
    return None


def _between(planes: Planes) -> Volumes | None:
    """Stacks that lie between one another's slices and together look like one."""
    is_mr = planes[0].series.modality == "MR"
    # MR acquires every second slice first, so that times and numbers in that order mean one volume.
    clues = _NAMED[: -len(TIMES)] if is_mr else [*_NAMED, *_ORDERED, ("every second slice, from number", _restarts)]
    for name, values_of in clues:
        groups = _groups(planes, values_of(planes))
        if groups is None or min(len(members) for _value, members in groups) < 2:
            continue
        if all(is_stack(members) for _value, members in groups) and _overlap([m for _v, m in groups]):
            return [(f"{name} {value}", members) for value, members in groups]
    return None


def _groups(planes: Planes, values: _Values | None) -> list[tuple[Hashable, Planes]] | None:
    """Planes by their values; None where some have none, or where there are too many to be those of volumes."""
    if values is None or None in values or not 1 < len(set(values)) <= len(planes) // 2:
        return None
    groups: dict[Hashable, Planes] = {value: [] for value in sorted(set(values), key=_natural)}
    for plane, value in zip(planes, values, strict=True):
        groups[value].append(plane)
    return list(groups.items())


def _overlap(groups: Sequence[Planes]) -> bool:
    """Whether some two groups reach into one another along the normal."""
    first = groups[0][0]
    spans = []
    for members in groups:
        along = heights([first, *members])[1:]
        spans.append((float(along.min()), float(along.max())))
    spans.sort()
    return any(low < high - SAME_PLACE for (_, high), (low, _) in pairwise(spans))


def _natural(value: Hashable) -> tuple[bool, float, str]:
    try:
        return False, float(str(value)), str(value)
    except ValueError:
        return True, 0.0, str(value)


def _mark(index: int) -> Callable[[Planes], _Values]:
    return lambda planes: [plane.marks[index] for plane in planes]


def _number(plane: PlaneHeader) -> float | None:
    return None if plane.instance_number is None else float(plane.instance_number)


def _seconds(index: int) -> Callable[[PlaneHeader], float | None]:
    def seconds(plane: PlaneHeader) -> float | None:
        try:
            return float(plane.marks[index])
        except (TypeError, ValueError):
            return None

    return seconds


def _runs(order: Callable[[PlaneHeader], float | None]) -> Callable[[Planes], _Values | None]:
    """The number of the way through the stack that each plane is on, when they are followed in an order."""

    def values_of(planes: Planes) -> _Values | None:
        keys = [order(plane) for plane in planes]
        if None in keys or len(set(keys)) < len(keys):
            return None
        along = heights(planes)
        sequence = sorted(range(len(planes)), key=lambda i: keys[i] or 0.0)
        runs = _even_runs(along[sequence])
        if runs is None:
            return None
        values = [0] * len(planes)
        for plane, run in zip(sequence, runs, strict=True):
            values[plane] = run
        return values

    return values_of


def _even_runs(along: np.ndarray) -> list[int] | None:
    """Numbers, from 1, of the evenly stepping runs that positions, mm (n,), are made of; None where they are not."""
    runs, start = [1], 0
    for index in range(1, len(along)):
        begun = along[start + 1] - along[start]
        step = along[index] - along[index - 1]
        if index > start + 1 and abs(step - begun) > EVENNESS * abs(begun):
            if step * begun > 0 and (index + 1 == len(along) or (along[index + 1] - along[index]) * begun > 0):
                return None  # it goes on in the same sense: a gap, and no new beginning
            start = index
            runs.append(runs[-1] + 1)
        else:
            runs.append(runs[-1])
    return runs if min(Counter(runs).values()) > 2 else None  # two planes are even at any distance


def _turns(planes: Planes) -> _Values | None:
    """First, second … at its place, where all planes of a place are numbered one after the other."""
    if any(plane.instance_number is None for plane in planes):
        return None
    along = np.rint(heights(planes) / SAME_PLACE).astype(np.int64).tolist()
    counts = set(Counter(along).values())
    if len(counts) != 1 or len({plane.instance_number for plane in planes}) < len(planes):
        return None
    most = counts.pop()
    sequence = sorted(range(len(planes)), key=lambda i: planes[i].instance_number or 0)
    for at in range(0, len(planes), most):
        if len({along[i] for i in sequence[at : at + most]}) > 1:
            return None
    values = [0] * len(planes)
    for turn, plane in enumerate(sequence):
        values[plane] = turn % most + 1
    return values


def _restarts(planes: Planes) -> _Values | None:
    """Which of several stacks, one slice in turn, a plane is of, where all of them are numbered from the beginning."""
    numbers = [plane.instance_number for plane in planes]
    counts = set(Counter(numbers).values())
    if None in numbers or len(counts) != 1 or (most := counts.pop()) < 2:
        return None
    sequence = np.argsort(heights(planes), kind="stable").tolist()
    for turn in range(most):
        steps = np.diff([numbers[i] for i in sequence[turn::most]])
        if not ((steps > 0).all() or (steps < 0).all()):
            return None
    values = [0] * len(planes)
    for place, plane in enumerate(sequence):
        values[plane] = place % most + 1
    return values


_KEYWORDS = list(MARKS)
_NAMED: list[_Clue] = [(name, _mark(index)) for index, name in enumerate(MARKS.values())]
"""The marks, the times last."""
_ORDERED: list[_Clue] = [
    ("repetition", _runs(_number)),
    ("repetition", _turns),
    *((f"pass by {MARKS[keyword]}", _runs(_seconds(_KEYWORDS.index(keyword)))) for keyword in TIMES),
]
