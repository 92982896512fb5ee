"""Where something is to be saved: asked; of a table also saved, and what came of it told."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from napari.utils.notifications import show_error, show_info
from qtpy.QtWidgets import QFileDialog, QMessageBox, QWidget

from napari_pqcomq.translation import tr, trn
from pqcomq.errors import InputError
from pqcomq.volumes.path_checks import is_there


def ask_for_file(
    parent: QWidget,
    title: str,
    proposed: str,
    words: str,
    *,
    others: Sequence[str] = (),
    beside: Callable[[Path], Iterable[Path]] = lambda _file: (),
) -> Path | None:
    """Let the user choose a file to write, which is called as proposed where they typed no ending.

    Whether it is there already is asked here, since only here its whole name is known.

    Args:
        parent: of the dialog.
        title: of the dialog.
        proposed: name of the file; its ending is that of the kind.
        words: for the kind of file.
        others: endings that are taken, too, where the user has typed one.
        beside: the files that are written with it.

    Returns:
        The file, which may be replaced with those beside it; None where the dialog was cancelled.
    """
    ending = "".join(Path(proposed).suffixes)
    options = QFileDialog.Option.DontConfirmOverwrite
    path, _filter = QFileDialog.getSaveFileName(parent, title, proposed, f"{words} (*{ending})", "", options)
    if not path:
        return None
    if not path.endswith((ending, *others)):
        path = (path[: -len(ending)] if path.lower().endswith(ending) else path) + ending
    target = Path(path)
    there = [each.name for each in (target, *beside(target)) if is_there(each)]
    return target if not there or _may_be_replaced(parent, title, there) else None


def ask_and_save(parent: QWidget, title: str, proposed: str, save: Callable[[Path], object]) -> None:
    """Let the user choose a ``.csv`` file and save to it; nothing happens where the dialog is cancelled.

    Args:
        parent: of the dialog.
        title: of the dialog.
        proposed: name of the file.
        save: writes it; an ``InputError`` is shown.
    """
    path = ask_for_file(parent, title, proposed, tr("Table"))
    if path is None:
        return
    try:
        save(path)
    except InputError as error:
        show_error(str(error))
    else:
        show_info(tr("Saved {name}.", name=path.name))


def _may_be_replaced(parent: QWidget, title: str, names: Sequence[str]) -> bool:
    asked = trn(
        "{names} exists already. Replace?",
        "{names} exist already. Replace?",
        len(names),
        names=tr(" and ").join(names),
    )
    return bool(QMessageBox.question(parent, title, asked) == QMessageBox.StandardButton.Yes)
