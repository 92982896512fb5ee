"""The full-precision model that is loaded now, so that it is not read from disk again for each step."""

from __future__ import annotations

from pathlib import Path

from napari_pqcomq.triton_guard import keep_triton_out
from pqcomq.models.registry import load_model
from pqcomq.models.segmenter import Segmenter


class ModelShelf:
    """Room for one model: the larger one takes some 400 MB."""

    def __init__(self) -> None:
        self._key: tuple[str, Path | None] | None = None
        self._model: Segmenter | None = None

    def take(self, key: str, checkpoint: Path | None) -> Segmenter:
        """The model, loaded unless it stands there already.

        Raises:
            InputError: its checkpoint cannot be used.
        """
        if self._model is None or self._key != (key, checkpoint):
            self._model, self._key = None, None
            keep_triton_out()
            self._model = load_model(key, checkpoint)
            self._key = (key, checkpoint)
        return self._model
