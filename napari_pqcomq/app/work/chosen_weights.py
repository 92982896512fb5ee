"""The quantized weights of the choice: which are at hand, loading and saving them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from napari.utils.notifications import show_error, show_info
from qtpy.QtCore import QObject, Signal

from napari_pqcomq.app.panels.panels import Panels
from napari_pqcomq.jobs.comparing.kept_work import volume_key
from napari_pqcomq.jobs.models.choices import ModelChoice, WeightsOrigin
from napari_pqcomq.jobs.models.model_cache import ModelCache
from napari_pqcomq.jobs.models.weights_jobs import LoadWeightsJob, SaveWeightsJob
from napari_pqcomq.layers.volume_layers import shown_name
from napari_pqcomq.translation import tr
from pqcomq.quantization.quantized_model import QuantizedModel
from pqcomq.volumes.volume import Volume


class ChosenWeights(QObject):
    """Knows which quantized weights serve the choice on the open volume.

    Args:
        panels: of the dock.
        models: where weights are kept.
        parent: Qt parent.

    Attributes:
        changed: emitted when others are at hand than before.
    """

    changed = Signal()

    def __init__(self, panels: Panels, models: ModelCache, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._panels, self._models = panels, models
        self._volume = "", ""  # key and name

    def set_volume(self, volume: Volume | None) -> str:
        """Speak of another volume; the key that knows it again, empty where there is none."""
        layers = self._panels.viewer.layers
        self._volume = (volume_key(volume), shown_name(layers, volume)) if volume is not None else ("", "")
        return self._volume[0]

    @property
    def origin(self) -> WeightsOrigin:
        """What weights are made on now."""
        return WeightsOrigin.of(self._panels.calibration.choice, *self._volume)

    @property
    def chosen(self) -> tuple[QuantizedModel, ...]:
        """Those of the choice, one a bit width; empty unless all are at hand."""
        found = self._found()
        return tuple(found.values()) if len(found) == len(self._panels.model.choices) else ()

    @property
    def missing(self) -> tuple[ModelChoice, ...]:
        """The chosen bit widths whose weights are still to be made."""
        return self._models.missing(self._panels.model.choices, self.origin)

    @property
    def finished_titles(self) -> list[str]:
        """The chosen bit widths whose weights are at hand, in words."""
        return [each.settings.title for each in self._found().values()]

    @property
    def made_elsewhere(self) -> WeightsOrigin | None:
        """On what else weights of the whole choice were made, where some are missing here; None for nowhere."""
        return self._models.made_elsewhere(self._panels.model.choices) if self.missing else None

    @property
    def to_save(self) -> QuantizedModel | None:
        """Those of the chosen width; of several, or where they are not at hand, those made or loaded last, if any."""
        chosen = self.chosen
        return chosen[0] if len(chosen) == 1 else self._models.newest

    def take(self, made: Mapping[ModelChoice, QuantizedModel]) -> None:
        """Keep weights at hand, for any volume."""
        for choice, weights in made.items():
            self._models.keep(choice, weights)
        self.changed.emit()

    def use_elsewhere(self) -> None:
        """Use weights that were made on another volume, or on other slices, here as well."""
        origin = self.made_elsewhere
        found = {choice: self._models.quantized(choice, origin) for choice in self._panels.model.choices}
        self.take({choice: weights for choice, weights in found.items() if weights is not None})

    def load(self, path: Path) -> None:
        """Load weights in the background, and set the controls to what they are."""

        def take(weights: QuantizedModel) -> None:
            self._panels.model.show_loaded(weights.segmenter.key, weights.settings)
            self.take({self._panels.model.choice: weights})

        self._panels.jobs.start(LoadWeightsJob(path).steps, take, tr("Loading {path}…", path=path.name))

    def save(self, path: Path) -> None:
        """Write :attr:`to_save`, in the background."""
        weights = self.to_save
        if weights is None:
            show_error(tr("There are no quantized weights to save yet: press Quantize first."))
            return

        def saved(path: Path) -> None:
            show_info(tr("Saved {path}.", path=path.name))

        self._panels.jobs.start(SaveWeightsJob(weights, path).steps, saved, tr("Saving {path}…", path=path.name))

    def _found(self) -> dict[ModelChoice, QuantizedModel]:
        found = {choice: self._models.quantized(choice, self.origin) for choice in self._panels.model.choices}
        return {choice: weights for choice, weights in found.items() if weights is not None}
