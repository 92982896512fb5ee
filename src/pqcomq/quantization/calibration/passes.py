"""The calibration slices on their way through a model."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
from torch import Tensor

from pqcomq.models.segmenter import Segmenter
from pqcomq.models.slice_prompt import SlicePrompt
from pqcomq.models.transforms import PromptTensors, prompt_tensors
from pqcomq.quantization.algorithm.config import QuantizationConfig
from pqcomq.quantization.calibration.intensity_augmentation import varied_intensities
from pqcomq.quantization.calibration.random_boxes import random_boxes
from pqcomq.quantization.calibration.random_scribbles import random_scribbles
from pqcomq.quantization.calibration.slices import Calibration

Pass = Callable[[], None]
"""One slice through a model."""

BOXES_A_PASS = 6
"""Boxes a slice that halted passes hold in memory: 4 MB for each tensor of image tokens and box."""

FURTHER_BOXES = 18
"""Boxes a slice that only the mask decoder in full precision sees. A box brings seven tokens to layers of up to 2,048
inputs: 6 of them on 8 slices leave their Gram matrices without full rank, and other boxes much more damaged."""

_UNSEEN_BOXES = 4
_FURTHER, _UNSEEN = 10_000, 20_000
"""Where the seeds of other boxes begin."""


class CalibrationPasses:
    """What a model is given to see while it is calibrated: images, and for the mask decoder boxes.

    A model that takes no boxes gets as many scribbles in their place.

    Args:
        model: its pre-processing, and the prompts that it takes.
        calibration: the slices.
        settings: tells whether tones vary, and whether slices go on through the mask decoder.
    """

    def __init__(self, model: Segmenter, calibration: Calibration, settings: QuantizationConfig) -> None:
        self._framing, self._draw = model.transforms, not model.takes("box")
        self._decodes = settings.decoder
        varies = settings.tones == "varied"
        self._slices = [
            varied_intensities(pixels, index) if varies else pixels for index, pixels in enumerate(calibration.slices)
        ]

    def __len__(self) -> int:
        return len(self._slices)

    @property
    def judging(self) -> list[int]:
        """Numbers of the slices on which damage is measured: one in tones of its own, then perhaps one in others."""
        half = len(self) // 2
        first = half - half % 2
        return [each for each in (first, first + 1) if each < len(self)]

    def image(self, index: int) -> Tensor:
        """(1, 3, side, side)."""
        return self._framing.image(self._slices[index])

    def prompts(self, index: int) -> PromptTensors:
        """The prompts of a slice, the same whenever asked for."""
        return self._drawn(index, index, BOXES_A_PASS)

    def unseen_prompts(self, index: int) -> PromptTensors:
        """Prompts that no pass shows."""
        return self._drawn(index, _UNSEEN + index, _UNSEEN_BOXES)

    def _drawn(self, index: int, seed: int, count: int) -> PromptTensors:
        pixels: np.ndarray = self._slices[index]
        if self._draw:
            asked = SlicePrompt(scribbles=random_scribbles(pixels, seed, count))
        else:
            asked = SlicePrompt(random_boxes(pixels, seed, count))
        return prompt_tensors(self._framing, asked, pixels.shape)

    def through(self, model: Segmenter) -> list[Pass]:
        """All slices through a model; each when called."""
        return [partial(self._run, model, index) for index in range(len(self))]

    def _run(self, model: Segmenter, index: int) -> None:
        features = model.embed(self.image(index))  # (1, 256, 64, 64)
        if self._decodes:
            model.logits(features, *self.prompts(index))

    def further_through(self, model: Segmenter, *, first_too: bool) -> list[Pass]:
        """All slices with further boxes through a model; each when called.

        Args:
            model: in full precision.
            first_too: show the boxes of :meth:`through` as well.
        """
        return [partial(self._run_further, model, index, first_too) for index in range(len(self))]

    def _run_further(self, model: Segmenter, index: int, first_too: bool) -> None:
        features = model.embed(self.image(index))  # (1, 256, 64, 64)
        if not self._decodes:
            return
        if first_too:
            model.logits(features, *self.prompts(index))
        further = self._drawn(index, _FURTHER + index, FURTHER_BOXES)
        for first in range(0, FURTHER_BOXES, BOXES_A_PASS):
            model.logits(features, *further.some(first, first + BOXES_A_PASS))
