"""What a user asks of a model in a volume: a box, points inside and outside of an object, both together, or a scribble.

Points have the convention of boxes: array indices of the volume's voxels in LPS order.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from operator import index
from typing import Any

import numpy as np

from pqcomq.errors import InputError
from pqcomq.models.catalogue.entries import PromptKind
from pqcomq.models.slice_prompt import SlicePrompt
from pqcomq.segmentation.box import Box3D, plain_numbers
from pqcomq.segmentation.scribble import Scribble
from pqcomq.wording import counted


@dataclass(frozen=True)
class PromptPoint:
    """One point.

    Attributes:
        x: column, 0 is the patient's right.
        y: row, 0 is the front of the patient.
        z: slice, 0 is nearest the feet; the point prompts this slice.
        positive: whether it lies inside the object.
    """

    x: float
    y: float
    z: int
    positive: bool = True

    def __post_init__(self) -> None:
        """Take NumPy's numbers for Python's: records and sessions hold no others."""
        for name, number in plain_numbers(asdict(self)).items():
            object.__setattr__(self, name, number)

    @classmethod
    def of(cls, values: Iterable[float], *, positive: bool = True) -> PromptPoint:
        """Read a point from three numbers x, y, z.

        Raises:
            InputError: not three finite numbers, or the slice is not whole.
        """
        given = list(values)
        try:
            numbers = [float(value) for value in given]
        except (TypeError, ValueError):
            numbers = []
        if len(numbers) != 3 or not all(math.isfinite(number) for number in numbers) or not numbers[2].is_integer():
            raise InputError(f"A point needs three finite numbers x, y, z with a whole z, not {given}.")
        return cls(numbers[0], numbers[1], int(numbers[2]), positive)


@dataclass(frozen=True)
class Prompt:
    """A box, points, or both, or else a scribble; without box and scribble at least one point is positive.

    Attributes:
        box: that encloses the object.
        points: inside the object and outside of it.
        span: first and last slice to segment, both included, where there is no box; by default those of the points or
            of the scribble.
        scribble: drawn inside the object; stands alone, as the models that take one were trained.

    Examples:
        >>> from pqcomq.segmentation.prompt import Prompt, PromptPoint
        >>> Prompt(points=(PromptPoint(40, 50, 12),), span=(10, 15)).slices
        range(10, 16)
    """

    box: Box3D | None = None
    points: tuple[PromptPoint, ...] = ()
    span: tuple[int, int] | None = None
    scribble: Scribble | None = None

    def __post_init__(self) -> None:
        """Keep the points as a tuple, and the span as two of Python's whole numbers.

        Raises:
            InputError: nothing is asked for, a box and a span are both given, or a scribble does not stand alone.
        """
        object.__setattr__(self, "points", tuple(self.points))
        if self.span is not None:
            object.__setattr__(self, "span", (index(self.span[0]), index(self.span[1])))
        if self.scribble is not None and (self.box is not None or self.points):
            raise InputError("A scribble stands alone: no box and no points may stand beside it.")
        if self.box is None and self.scribble is None and not any(each.positive for each in self.points):
            raise InputError("A prompt needs a box or at least one positive point, or else a scribble.")
        if self.box is not None and self.span is not None:
            raise InputError("A box has its own slices; no first and last slice may stand beside it.")

    @classmethod
    def of(cls, given: Prompt | Box3D) -> Prompt:
        """A prompt, of a box if it is none."""
        return cls(given) if isinstance(given, Box3D) else given

    def checked(self, shape_zyx: tuple[int, int, int]) -> Prompt:
        """This prompt, if it lies inside a volume.

        Args:
            shape_zyx: the volume's array shape, z y x.

        Raises:
            InputError: the box, the scribble or a point reaches outside, a point or a drawn voxel lies on none of the
                slices to segment, or there are none.
        """
        depth, height, width = shape_zyx
        if self.box is not None:
            self.box.checked(shape_zyx)
        if self.scribble is not None:
            self.scribble.checked(shape_zyx)
            drawn = self.scribble.slices
            if not self.first <= drawn[0] <= drawn[-1] <= self.last:
                raise InputError(
                    f"The scribble on slices {drawn[0]} to {drawn[-1]} does not lie within the slices {self.first} to "
                    f"{self.last}."
                )
        for each in self.points:
            if not (0 <= each.x <= width and 0 <= each.y <= height and 0 <= each.z < depth):
                raise InputError(
                    f"The point {each.x:g}, {each.y:g}, {each.z} (x, y, z) lies outside the volume's {width} × "
                    f"{height} × {depth} voxels (x × y × z)."
                )
            if each.z not in self.slices:
                raise InputError(
                    f"The point {each.x:g}, {each.y:g}, {each.z} (x, y, z) lies on none of the slices {self.first} to "
                    f"{self.last}."
                )
        if not 0 <= self.first <= self.last < depth:
            raise InputError(f"The slices {self.first} to {self.last} are not in the volume's {depth}, or reversed.")
        return self

    @property
    def first(self) -> int:
        """The slice nearest the feet."""
        if self.box is not None:
            return self.box.z0
        return min(self.asked_slices) if self.span is None else self.span[0]

    @property
    def last(self) -> int:
        """The slice farthest from the feet."""
        if self.box is not None:
            return self.box.z1
        return max(self.asked_slices) if self.span is None else self.span[1]

    @property
    def asked_slices(self) -> tuple[int, ...]:
        """The slices of points and of the scribble."""
        return tuple(each.z for each in self.points) if self.scribble is None else self.scribble.slices

    @property
    def kinds(self) -> tuple[PromptKind, ...]:
        """What it consists of, as the catalogue of models names it."""
        parts: dict[PromptKind, object] = {"box": self.box, "points": self.points, "scribble": self.scribble}
        return tuple(kind for kind, part in parts.items() if part)

    @property
    def slices(self) -> range:
        """The slice numbers, ascending."""
        return range(self.first, self.last + 1)

    @property
    def start(self) -> int:
        """Where propagation starts: on the box's middle slice, or the most central with a positive point or stroke."""
        middle = (self.first + self.last) // 2
        if self.box is not None:
            return middle
        if self.scribble is not None:
            return self.scribble.nearest(middle)
        return min((each.z for each in self.points if each.positive), key=lambda z: (abs(z - middle), z))

    @property
    def rectangle(self) -> np.ndarray | None:
        """The box's x0, y0, x1, y1 as (4,) float32, or None."""
        return None if self.box is None else self.box.xyxy

    @property
    def edges(self) -> tuple[float, ...] | None:
        """The box's x0, y0, x1, y1 for a picture, or None."""
        return None if self.box is None else tuple(self.box.xyxy.tolist())

    def points_on(self, z: int) -> tuple[PromptPoint, ...]:
        """The points of one slice."""
        return tuple(each for each in self.points if each.z == z)

    def drawn_on(self, z: int, shape_yx: tuple[int, int]) -> np.ndarray | None:
        """The scribble on one slice, (H, W) bool; None where nothing is drawn."""
        if self.scribble is None or z not in self.scribble.slices:
            return None
        return self.scribble.on_slice(z, shape_yx)

    @property
    def words(self) -> str:
        """For people, e.g. ``"a box, 2 points inside, 1 point outside"``, or ``"a scribble on 2 slices"``."""
        if self.scribble is not None:
            count = len(self.scribble.slices)
            return f"a scribble on {counted(count, 'slice')}"
        inside = sum(each.positive for each in self.points)
        places = [(inside, "inside"), (len(self.points) - inside, "outside")]
        told = [f"{counted(count, 'point')} {where}" for count, where in places if count]
        return ", ".join(["a box"] * (self.box is not None) + told)

    def on_slice(
        self,
        z: int,
        rectangle: np.ndarray | None,
        shape_yx: tuple[int, int],
        *,
        everywhere: bool = False,
        neighbour: np.ndarray | None = None,
    ) -> SlicePrompt | None:
        """What is asked on one slice.

        Args:
            z: slice number.
            rectangle: the box there, (4,) x0 y0 x1 y1, or None.
            shape_yx: rows and columns of a slice.
            everywhere: on a slice with neither a box nor a positive point nor a drawn voxel, ask with the points or the
                scribble of the nearest slice that has some, beside the slice's own points outside.
            neighbour: (H, W) bool, the mask of a neighbouring slice: where nothing was drawn, what of the nearest
                scribble lies inside it is asked with.

        Returns:
            None where nothing is asked there: a point outside says nothing of where an object is.
        """
        if self.scribble is not None:
            if not (everywhere or neighbour is not None or z in self.scribble.slices):
                return None
            drawn = self.scribble.on_slice(self.scribble.nearest(z), shape_yx)
            if neighbour is not None and z not in self.scribble.slices:
                drawn = drawn & neighbour
            return SlicePrompt(scribbles=drawn[None]) if drawn.any() else None
        own = self.points_on(z)
        if rectangle is None and not any(each.positive for each in own):
            if not everywhere:
                return None
            nearest = min((each.z for each in self.points if each.positive), key=lambda other: (abs(other - z), other))
            own = (*self.points_on(nearest), *own)  # those outside on the slice itself still hold
        places = np.array([(each.x, each.y) for each in own], dtype=np.float64).reshape(-1, 2)
        return SlicePrompt.single(rectangle, places, np.array([float(each.positive) for each in own]))

    def region(self, shape_yx: tuple[int, int]) -> Box3D:
        """Where the object is looked for: the box, or without one the slices as a whole.

        Args:
            shape_yx: rows and columns of a slice.
        """
        return self.box or Box3D(0, 0, self.first, shape_yx[1], shape_yx[0], self.last)

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "box_x0y0z0x1y1z1": None if self.box is None else list(asdict(self.box).values()),
            "points": [asdict(each) for each in self.points],
            "slices_of_points": None if self.box is not None else [self.first, self.last],
            # Versions that know no scribble read everything else.
            **({} if self.scribble is None else {"scribble_zyx0x1": [list(run) for run in self.scribble.runs]}),
        }

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Prompt:
        """The inverse of :meth:`to_dict`; files from before there were points have the box alone."""
        box, span, runs = (content.get(key) for key in ("box_x0y0z0x1y1z1", "slices_of_points", "scribble_zyx0x1"))
        return cls(
            None if box is None else Box3D.of(box),
            tuple(PromptPoint(**each) for each in content.get("points", ())),
            None if span is None else (span[0], span[1]),
            None if runs is None else Scribble.of_runs(runs),
        )
