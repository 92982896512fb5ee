"""The plugin's own pictures: icons on buttons and signs in texts, drawn once for dark and light themes alike."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from qtpy.QtGui import QIcon

_PACKAGE = "napari_pqcomq.resources"
_SIGN_PIXELS = 13


def picture(name: str) -> Path:
    """The file of a picture.

    Args:
        name: without the ending, e.g. ``"swipe"``.

    Raises:
        FileNotFoundError: there is no such picture.
    """
    path = Path(str(files(_PACKAGE) / f"{name}.svg"))
    if not path.is_file():
        raise FileNotFoundError(f"{path}: there is no such picture")
    return path


def icon(name: str) -> QIcon:
    """A picture as an icon, sharp at every size."""
    return QIcon(str(picture(name)))


def sign(name: str) -> str:
    """A picture for a rich text, as high as its letters."""
    return f"<img src='{picture(name).as_uri()}' width='{_SIGN_PIXELS}' height='{_SIGN_PIXELS}'>"
