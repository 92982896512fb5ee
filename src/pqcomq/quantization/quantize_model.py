"""Quantize a model of the MedSAM family, a layer at a time, telling how it goes."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping

from torch import Tensor

from pqcomq.models.segmenter import Segmenter
from pqcomq.quantization.algorithm.config import QuantizationConfig
from pqcomq.quantization.algorithm.gram import QuantizableLayer
from pqcomq.quantization.calibration.passes import CalibrationPasses, Pass
from pqcomq.quantization.calibration.slices import Calibration
from pqcomq.quantization.files.resume import Journal
from pqcomq.quantization.layer_events import LayerEvent
from pqcomq.quantization.layer_names import DECODER, copied, layers_to_quantize
from pqcomq.quantization.layerwise import LayerwiseRun
from pqcomq.quantization.planning.sensitivity import View, model_damage
from pqcomq.quantization.quantized_model import QuantizedModel
from pqcomq.quantization.workers import Workers


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
    side_by_side = True

    def __init__(self, full: Segmenter, calibration: Calibration, settings: QuantizationConfig) -> None:
        self.full, self._decoder = full, settings.decoder
        self._slices = CalibrationPasses(full, calibration, settings)
        # At a width for all layers nothing is spent by damage; widths of 8 bits need no further boxes.
        self._more_boxes = settings.decoder and (settings.budget is not None or settings.stored_bits is not None)
        self._walks = settings.inputs == "quantized"

    def __len__(self) -> int:
        return len(self._slices)

    def layers(self, model: Segmenter) -> dict[str, QuantizableLayer]:
        return layers_to_quantize(model, decoder=self._decoder)

    def copied(self) -> Segmenter:
        return copied(self.full)

    def passes(self, model: Segmenter) -> list[Pass]:
        return self._slices.through(model)

    def full_passes(self) -> list[Pass]:
        if not self._more_boxes:
            return self._slices.through(self.full)
        return self._slices.further_through(self.full, first_too=not self._walks)

    def sees_more(self, name: str) -> bool:
        return self._more_boxes and name.startswith(DECODER)

    def damage(self, trials: Mapping[str, Tensor], workers: Workers) -> Iterator[tuple[str, float]]:
        """Measured on slices of the middle, by boxes that no layer was fitted to."""
        views = [View(self._slices.image(index), self._slices.unseen_prompts(index)) for index in self._slices.judging]
        return model_damage(self.full, views, trials, workers)
