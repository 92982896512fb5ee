"""Every picture can be drawn, and can be told from its neighbours at the size of a button."""

from __future__ import annotations

import numpy as np
import pytest
from qtpy.QtGui import QImage
from qtpy.QtWidgets import QLabel

from napari_pqcomq.viewer.comparison.verdict_badges import SIGNS
from napari_pqcomq.viewer.comparison.view_bar import _ICONS
from napari_pqcomq.viewer.modes.mode_registry import VIEWS
from napari_pqcomq.widgets.controls.pictures import icon, picture, sign

ALL = [*_ICONS.values(), *SIGNS, "warning", "icon"]


def drawn(name, side=16):
    """The picture as (side, side, 4) RGBA."""
    image = icon(name).pixmap(side, side).toImage().convertToFormat(QImage.Format.Format_RGBA8888)
    return np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.width(), 4).copy()


def test_every_view_and_every_verdict_has_a_picture():
    assert _ICONS.keys() == set(VIEWS)
    assert {picture(name).suffix for name in ALL} == {".svg"}


def test_pictures_are_told_apart_at_the_size_of_a_button(qapp):
    pictures = [drawn(name) for name in ALL]
    for number, one in enumerate(pictures):
        assert (one[..., 3] > 128).mean() > 0.1, f"{ALL[number]} is empty"
        for other in pictures[:number]:
            assert np.abs(one.astype(int) - other).max(axis=2).mean() > 10


@pytest.mark.parametrize("ground", ["#262930", "#efebe9"])
def test_a_sign_is_drawn_in_a_text(qtbot, ground):
    label = QLabel(f"{sign('fail')} FAIL")
    label.setStyleSheet(f"background: {ground}; color: {ground}")  # the letters are out of sight
    qtbot.addWidget(label)
    label.resize(label.sizeHint())
    grabbed = label.grab().toImage().convertToFormat(QImage.Format.Format_RGBA8888)
    pixels = np.frombuffer(grabbed.constBits(), np.uint8).reshape(grabbed.height(), grabbed.width(), 4)
    orange = np.abs(pixels[..., :3].astype(int) - (0xE8, 0x74, 0x3B)).max(axis=2) < 20
    assert orange.sum() > 40


def test_a_picture_that_does_not_exist_is_named():
    with pytest.raises(FileNotFoundError, match=r"unicorn\.svg: there is no such picture"):
        picture("unicorn")
