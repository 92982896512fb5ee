"""The calibration slices on their way through a model."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from torch import Tensor

from pqcomq.models.segmenter import Segmenter
from pqcomq.models.transforms import boxes_tensor
from pqcomq.quantization.algorithm.config import QuantizationConfig
from pqcomq.quantization.calibration import Calibration
from pqcomq.quantization.intensity_augmentation import varied_intensities
from pqcomq.quantization.random_boxes import random_boxes

Pass = Callable[[], None]
"""One slice through a model."""


class CalibrationPasses:
    """What a model is given to see while it is calibrated: images, and boxes for the mask decoder.

    Args:
        model: its pre-processing.
        calibration: the slices.
        settings: tells whether tones vary, and whether slices go on through the mask decoder.
    """

    def __init__(self, model: Segmenter, calibration: Calibration, settings: QuantizationConfig) -> None:
        self._framing = model.transforms
        self._decodes = settings.decoder
        varies = settings.tones == "varied"
        self._slices = [
            varied_intensities(pixels, index) if varies else pixels for index, pixels in enumerate(calibration.slices)
        ]

    def __len__(self) -> int:
        return len(self._slices)

    @property
    def middle(self) -> int:
        """Number of the slice that stands for all, in tones of its own."""
        half = len(self) // 2
        return half - half % 2

    def some(self, count: int) -> list[int]:
        """Numbers of about so many slices, spread over all."""
        return list(range(0, len(self), -(-len(self) // count)))

    def image(self, index: int) -> Tensor:
        """(1, 3, side, side)."""
        return self._framing.image(self._slices[index])

    def boxes(self, index: int) -> Tensor:
        """(B, 1, 4) in model pixels, the same whenever asked for."""
        pixels = self._slices[index]
        return boxes_tensor(self._framing, random_boxes(pixels, seed=index), pixels.shape)

    def through(self, model: Segmenter, numbers: list[int] | None = None) -> list[Pass]:
        """Some slices, by default all, through a model; each when called."""
        return [partial(self._run, model, index) for index in (range(len(self)) if numbers is None else numbers)]

    def _run(self, model: Segmenter, index: int) -> None:
        features = model.embed(self.image(index))  # (1, 256, 64, 64)
        if self._decodes:
            model.logits(features, self.boxes(index))
