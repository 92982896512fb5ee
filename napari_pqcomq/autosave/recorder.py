"""Notes what is done on the open volume, and has it written in the background within a second."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from napari.components import ViewerModel
from napari.layers import Labels
from qtpy.QtCore import QObject, QTimer, Signal

from napari_pqcomq.autosave.desk import Desk
from napari_pqcomq.autosave.recorded_layers import BY_HAND_KEY, corrected_labels, is_kept, kept_labels
from napari_pqcomq.jobs.comparing.kept_work import voxels_key
from napari_pqcomq.prompts.objects.prompt_list import PromptList
from napari_pqcomq.results.held.result_store import ResultStore
from napari_pqcomq.setup.volume_panel import VolumePanel
from pqcomq.autosave.shelf import FoundWork
from pqcomq.autosave.work import KeptLabels, KeptObject, UnfinishedWork
from pqcomq.volumes.volume import Volume

_PAUSE_MS = 700
"""From the first change to the writing: what follows at once is written with it."""

_Noted = tuple[UnfinishedWork, Callable[[], list[KeptLabels]]]
"""Work as references, and what makes the layers that take time."""


class Recorder(QObject):
    """Listens to boxes, masks and corrections; what it notes is cheap, what takes time is done by the desk's thread.

    Args:
        viewer: napari's viewer or the proxy that plugins get.
        volume: the panel that knows the open one.
        objects: the boxes.
        store: the comparison, and what was corrected on it.
        settings: gives the controls' choices.
        parent: Qt parent.

    Attributes:
        arrived: emitted when another volume, or none, is open, after what was done on the one before is written.
        failed: emitted with one sentence where the disk refuses; once for each sentence.
        desk: that writes; None while nothing is to be kept.
        key: knows the open volume again, empty where there is none.
    """

    arrived = Signal()
    failed = Signal(str)
    _refused = Signal(str)

    def __init__(
        self,
        viewer: ViewerModel,
        volume: VolumePanel,
        objects: PromptList,
        store: ResultStore,
        settings: Callable[[], Mapping[str, str]],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._viewer, self._panel, self._objects, self._store, self._settings = viewer, volume, objects, store, settings
        self.desk: Desk | None = None
        self.key = ""
        self._volume: Volume | None = None
        self._told: set[str] = set()
        self._noted: _Noted | None = None
        self._newest: _Noted | None = None  # noted last, whether it is written by now or not
        self._before_removal: _Noted | None = None  # of layers, since the last writing
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_PAUSE_MS)
        self._timer.timeout.connect(self.write_now)
        self._refused.connect(self._on_refused)
        self._painted_layers: list[Labels] = []
        volume.changed.connect(self._on_volume)
        objects.settled.connect(self.note)
        store.corrected.connect(self.note)
        viewer.layers.events.inserted.connect(self._on_layers)
        viewer.layers.events.removing.connect(self._on_removing)
        viewer.layers.events.removed.connect(self._on_layers)
        self._on_layers()

    @property
    def volume(self) -> Volume | None:
        """The open one."""
        return self._volume

    def begin(self) -> None:
        """Take notice of the volume that is open already."""
        self._on_volume()
        if not self.key:
            self.arrived.emit()

    def set_desk(self, desk: Desk | None) -> None:
        """Write there from now on, or nowhere."""
        before, self.desk = self.desk, desk
        if before is not None:
            before.close()
        self.note()

    def refuse(self, sentence: str) -> None:
        """Tell once that something could not be written; from any thread."""
        self._refused.emit(sentence)

    def note(self, *_event: object) -> None:
        """Something has changed: write it soon."""
        volume = self._panel.volume
        if self.desk is None or volume is None or volume is not self._volume:
            return  # between two volumes the boxes may still be those of the one before
        self._noted = self._newest = self._now(volume), self._corrected(volume)
        if not self._timer.isActive():
            self._timer.start()

    def write_now(self) -> None:
        """Hand over what was noted."""
        self._timer.stop()
        noted, self._noted, self._before_removal = self._noted, None, None
        if noted is not None and self.desk is not None:
            self.desk.write(*noted)

    def go_on(self, found: FoundWork) -> None:
        """Write where this work was found from now on."""
        if self.desk is not None:
            self.desk.take(found)
            self.note()

    def release(self) -> None:
        """Write what was noted, and stop listening."""
        self.write_now()
        self.set_desk(None)
        self._viewer.layers.events.inserted.disconnect(self._on_layers)
        self._viewer.layers.events.removing.disconnect(self._on_removing)
        self._viewer.layers.events.removed.disconnect(self._on_layers)
        self._listen_to([])

    def _on_volume(self) -> None:
        volume = self._panel.volume
        key = "" if volume is None else voxels_key(volume)
        if key != self.key:
            if self._before_removal is not None:  # who closes all layers at once does not take boxes and masks away
                self._noted = self._before_removal
            self.write_now()
            self._newest = None
            if self.desk is not None:
                self.desk.leave()
        is_other, self.key, self._volume = key != self.key, key, volume
        self.note()
        if is_other:
            self.arrived.emit()

    def _now(self, volume: Volume) -> UnfinishedWork:
        """All that is there, as references; a few microseconds."""
        layers = [kept_labels(layer) for layer in self._viewer.layers if is_kept(layer, volume)]
        objects = tuple(KeptObject(each.number, each.name, each.asked, each.compared) for each in self._objects.objects)
        return UnfinishedWork(
            key=self.key,
            modality=volume.modality,
            path=volume.source,
            objects=objects,
            current=self._objects.current,
            layers=tuple(layers),
            settings=self._settings(),
        )

    def _corrected(self, volume: Volume) -> Callable[[], list[KeptLabels]]:
        """Makes what was corrected by hand, as it is now, in the thread that writes."""
        result, corrections = self._store.result, self._store.corrections
        if result is None or not corrections or result.volume.voxels is not volume.voxels:
            return list
        return partial(corrected_labels, result, corrections.snapshot())

    def _on_removing(self, event: object = None) -> None:
        self._before_removal = self._before_removal or self._newest

    def _on_layers(self, event: object = None) -> None:
        self._listen_to([layer for layer in self._viewer.layers if isinstance(layer, Labels)])
        self.note()

    def _listen_to(self, layers: list[Labels]) -> None:
        """Hear of strokes on these layers, and of no others."""
        for layer in self._painted_layers:
            layer.events.paint.disconnect(self._on_paint)
        for layer in layers:
            layer.events.paint.connect(self._on_paint)
        self._painted_layers = layers

    def _on_paint(self, event: Any) -> None:  # noqa: ANN401 (napari's event)
        event.source.metadata[BY_HAND_KEY] = True
        self.note()

    def _on_refused(self, sentence: str) -> None:
        if sentence not in self._told:
            self._told.add(sentence)
            self.failed.emit(sentence)
