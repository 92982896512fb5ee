"""Quantized weights in the background: made, found again, loaded and saved, in steps that touch no Qt."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from napari_pqcomq.jobs.models.choices import CalibrationChoice, ModelChoice, WeightsOrigin
from napari_pqcomq.jobs.models.model_cache import ModelCache
from napari_pqcomq.jobs.models.triton_guard import keep_triton_out
from napari_pqcomq.jobs.progress.quantization_clock import QuantizationClock, expected
from napari_pqcomq.jobs.progress.times import moment
from napari_pqcomq.translation import tr, trn
from pqcomq.atomic_files import check_target, together
from pqcomq.autosave.kept_weights import KeptWeights
from pqcomq.models.segmenter import Segmenter
from pqcomq.progress import Progress, Steps, translated
from pqcomq.quantization.calibration.slices import Calibration, calibrate_on
from pqcomq.quantization.files.model_card import write_card
from pqcomq.quantization.files.weights_file import load_weights, manifest, save_weights
from pqcomq.quantization.layer_events import LayerEvent
from pqcomq.quantization.quantize_model import quantize_model
from pqcomq.quantization.quantized_model import QuantizedModel
from pqcomq.volumes.intensity_window import Window
from pqcomq.volumes.volume import Volume
from pqcomq.volumes.volume_reader import read_volume


@dataclass(frozen=True, eq=False)
class QuantizeJob:
    """Quantize a model, once or at several bit widths; each is kept as soon as it is finished.

    Attributes:
        choices: which, and how; of one model.
        calibration: where its slices come from.
        volume: the open one.
        window: chosen for it; None for the modality's own.
        models: where the full-precision model stands, and where the quantized ones are kept.
        origin: what they are kept as made on; None for anything.
        on_disk: where they are looked for before, and kept; None for nowhere.
        told: gets sentences for the user while the job runs.
    """

    choices: tuple[ModelChoice, ...]
    calibration: CalibrationChoice
    volume: Volume
    window: Window | None
    models: ModelCache
    origin: WeightsOrigin | None = None
    on_disk: KeptWeights | None = None
    told: list[str] = field(default_factory=list)

    @property
    def expected_passes(self) -> float:
        """How long all of it takes where nothing is on disk, in the time of a pass of the encoder in torch."""
        return sum(expected(each.settings, self.calibration.slices) for each in self.choices)

    def steps(self) -> Steps[dict[ModelChoice, QuantizedModel]]:
        """The work.

        Raises:
            InputError: a file cannot be read or calibrated on.
        """
        yield Progress(0, 0, tr("Loading the model"))
        self.models.take(self.choices[0].key, self.choices[0].checkpoint)
        yield Progress(0, 0, tr("Choosing the calibration slices"))
        full, calibration = self.prepared()
        clock = QuantizationClock([each.settings for each in self.choices], self.calibration.slices)
        made = {}
        for index, choice in enumerate(self.choices):
            made[choice] = yield from self._one(full, calibration, choice, partial(_told, clock, index))
            self.models.keep(choice, made[choice], self.origin)  # now: the user may cancel the next
        return made

    def prepared(self) -> tuple[Segmenter, Calibration]:
        """The model in full precision, and the slices.

        Raises:
            InputError: a file cannot be read or calibrated on.
        """
        full = self.models.take(self.choices[0].key, self.choices[0].checkpoint)
        volumes = [read_volume(path) for path in self.calibration.files] or [self.volume]
        # The chosen window belongs to the open volume; other files get that of their own modality.
        window = None if self.calibration.files else self.window
        return full, calibrate_on(volumes, self.calibration.slices, window)

    def _one(
        self,
        full: Segmenter,
        calibration: Calibration,
        choice: ModelChoice,
        told: Callable[[Generator[LayerEvent, None, QuantizedModel]], Steps[QuantizedModel]],
    ) -> Steps[QuantizedModel]:
        """The weights of one choice: from the disk where they are there, else made and kept there."""
        disk, settings = self.on_disk, choice.settings
        if disk is None:
            return (yield from told(quantize_model(full, calibration, settings)))
        yield Progress(0, 0, tr("Looking for {title} on disk", title=settings.title))
        found = disk.recall(full, calibration, settings)
        if found is not None:
            self.told.append(
                tr(
                    "{title}: loaded, made {time}; not quantized again.",
                    title=settings.title,
                    time=moment(found.made),
                )
            )
            return found.weights
        with disk.layers(full, calibration, settings) as journal:
            if journal is not None and journal.finished_layers:
                self.told.append(
                    trn(
                        "{title}: {count} layer was finished before and is not made again.",
                        "{title}: {count} layers were finished before and are not made again.",
                        journal.finished_layers,
                        title=settings.title,
                    )
                )
            made = yield from told(quantize_model(full, calibration, settings, journal))
        yield Progress(0, 0, tr("Keeping {title} on disk", title=settings.title))
        disk.keep(full, calibration, made)
        self.told.extend(disk.notes)
        disk.notes.clear()
        return made


@dataclass(frozen=True, eq=False)
class RecallWeightsJob:
    """Load the weights of choices that are on disk, and make none.

    Attributes:
        quantizing: that would make them.
    """

    quantizing: QuantizeJob

    def steps(self) -> Steps[dict[ModelChoice, QuantizedModel]]:
        """The work: those that were there; they are kept at hand.

        Raises:
            InputError: a file to calibrate on cannot be read.
        """
        asked = self.quantizing
        yield Progress(0, 0, tr("Looking for quantized weights on disk"))
        full, calibration = asked.prepared()
        found = {}
        for choice in asked.choices:
            kept = None if asked.on_disk is None else asked.on_disk.recall(full, calibration, choice.settings)
            if kept is not None:
                found[choice] = kept.weights
                asked.models.keep(choice, kept.weights, asked.origin)
        return found


@dataclass(frozen=True, eq=False)
class LoadWeightsJob:
    """Load quantized weights.

    Attributes:
        path: of the file.
    """

    path: Path

    def steps(self) -> Steps[QuantizedModel]:
        """The work.

        Raises:
            InputError: the file cannot be used.
        """
        yield Progress(0, 0, tr("Loading {path}", path=self.path.name))
        keep_triton_out()
        return load_weights(self.path)


@dataclass(frozen=True, eq=False)
class SaveWeightsJob:
    """Write quantized weights and their card; packing those of a large model takes a while.

    Attributes:
        weights: to write.
        path: of the file; the dialog has already asked before replacing it.
    """

    weights: QuantizedModel
    path: Path

    def steps(self) -> Steps[Path]:
        """The work: the file.

        Raises:
            InputError: it cannot be written.
        """
        yield Progress(0, 0, tr("Saving {path}", path=self.path.name))
        check_target(self.path, overwrite=True)
        with together(self.path.parent):
            save_weights(self.weights, self.path, overwrite=True)
            write_card(self.path, manifest(self.weights), overwrite=True)
        return self.path


def _told(
    clock: QuantizationClock, index: int, work: Generator[LayerEvent, None, QuantizedModel]
) -> Steps[QuantizedModel]:
    """The making of one width's weights in plain words, before its first step too: that may take a minute."""
    yield clock.begun(index)
    return (yield from translated(work, partial(clock.told, index)))
