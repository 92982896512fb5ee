"""Where a table is to be saved: asked, saved, and what came of it told."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from napari.utils.notifications import show_error, show_info
from qtpy.QtWidgets import QFileDialog, QWidget

from napari_pqcomq.translation import tr
from pqcomq.errors import InputError


def ask_and_save(parent: QWidget, title: str, proposed: str, save: Callable[[Path], object]) -> None:
    """Let the user choose a ``.csv`` file and save to it; nothing happens where the dialog is cancelled.

    Args:
        parent: of the dialog.
        title: of the dialog.
        proposed: name of the file.
        save: writes it; an ``InputError`` is shown.
    """
    path, _filter = QFileDialog.getSaveFileName(parent, title, proposed, tr("Table (*.csv)"))
    if not path:
        return
    try:
        save(Path(path))
    except InputError as error:
        show_error(str(error))
    else:
        show_info(tr("Saved {name}.", name=Path(path).name))
