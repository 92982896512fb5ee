"""Quantize a model of the MedSAM family, a layer at a time, telling how it goes."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping

from torch import Tensor

from pqcomq.models.segmenter import Segmenter
from pqcomq.quantization.algorithm.config import QuantizationConfig
from pqcomq.quantization.algorithm.gram import QuantizableLayer
from pqcomq.quantization.calibration import Calibration
from pqcomq.quantization.calibration_passes import CalibrationPasses, Pass
from pqcomq.quantization.layer_events import LayerEvent
from pqcomq.quantization.layer_names import copied, layers_to_quantize
from pqcomq.quantization.layerwise import LayerwiseRun
from pqcomq.quantization.quantized_model import QuantizedModel
from pqcomq.quantization.resume import Journal
from pqcomq.quantization.sensitivity import model_damage

_BOXES_OF_DAMAGE = 3
"""Boxes on which the damage of each decoder layer is measured."""


def quantize_model(
    full: Segmenter, calibration: Calibration, settings: QuantizationConfig, journal: Journal | None = None
) -> Generator[LayerEvent, None, QuantizedModel]:
    """Quantize the image encoder's linear and dense convolution layers, and the mask decoder's if asked for.

    A caller may stop between any two events by closing the generator; ``full`` is untouched then, and nothing is kept
    but what the journal holds. All events are to be asked for in one thread.

    Args:
        full: the model in full precision.
        calibration: slices whose activations the descent fits.
        settings: how.
        journal: keeps every finished layer, so that a run that was stopped goes on from there and ends in the same
            bytes.

    Yields:
        A :class:`LayerEvent` after every calibration slice and after every layer.

    Returns:
        The quantized model (a generator's return value: ``yield from``, or ``StopIteration.value``).

    Raises:
        InputError: a layer's weights or inputs are not finite or do not fit the stored format, or the budget is too
            small.
    """
    results = yield from LayerwiseRun(_SegmenterTarget(full, calibration, settings), settings, journal).run()
    return QuantizedModel.of(full, results, settings, calibration.description)


class _SegmenterTarget:
    """Calibration slices through image encoder and, if asked for, mask decoder."""

    input_title = "slice"

    def __init__(self, full: Segmenter, calibration: Calibration, settings: QuantizationConfig) -> None:
        self.full, self._decoder = full, settings.decoder
        self._slices = CalibrationPasses(full, calibration, settings)

    def __len__(self) -> int:
        return len(self._slices)

    def some(self, count: int) -> list[int]:
        return self._slices.some(count)

    def layers(self, model: Segmenter) -> dict[str, QuantizableLayer]:
        return layers_to_quantize(model, decoder=self._decoder)

    def copied(self) -> Segmenter:
        return copied(self.full)

    def passes(self, model: Segmenter, numbers: list[int] | None = None) -> list[Pass]:
        return self._slices.through(model, numbers)

    def damage(self, trials: Mapping[str, Tensor]) -> Iterator[tuple[str, float]]:
        """Measured on the middle slice."""
        image, boxes = self._slices.image(self._slices.middle), self._slices.boxes(self._slices.middle)
        return model_damage(self.copied(), image, boxes[:_BOXES_OF_DAMAGE], trials)
