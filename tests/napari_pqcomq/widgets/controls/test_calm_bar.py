"""The bar of a wait without an end in sight: seen to move, and no burden on the work."""

from __future__ import annotations

import numpy as np
import pytest
from qtpy.QtCore import QEvent, QObject
from qtpy.QtWidgets import QProgressBar

from napari_pqcomq.jobs.running.job_runner import JobRunner
from napari_pqcomq.setup.model_fetch import ModelFetch
from napari_pqcomq.widgets.controls.calm_bar import CalmBar


@pytest.fixture
def bar(qtbot):
    bar = CalmBar()
    bar.setStyleSheet("QProgressBar { background: #000000; border: 0 } QProgressBar::chunk { background: #ffffff }")
    qtbot.addWidget(bar)
    bar.resize(200, 20)
    bar.setRange(0, 0)
    with qtbot.waitExposed(bar):
        bar.show()
    return bar


def lit(bar):
    """Columns in which the bar is not as when it is empty."""
    image = bar.grab().toImage()
    return np.array([image.pixelColor(x, image.height() // 2).lightness() > 127 for x in range(image.width())])


class Paints(QObject):
    """Counts how often a widget is drawn."""

    count = 0

    def eventFilter(self, watched, event):  # noqa: N802 (Qt's name)
        self.count += event.type() == QEvent.Type.Paint
        return False


def test_a_block_moves_from_one_end_to_the_other_and_back(bar):
    bar.steps.stop()
    places = []
    for _step in range(16):
        columns = np.flatnonzero(lit(bar))
        assert 0.2 < len(columns) / bar.width() < 0.4
        places.append(columns[0])
        bar.advance()
    assert places[0] == 0
    assert places[8] + 0.3 * bar.width() == pytest.approx(bar.width(), abs=2)
    assert places[:9] == sorted(places[:9])
    assert places[1:8] == places[:8:-1], "back over the same places"


def test_it_is_drawn_at_its_own_steps_alone(bar, qtbot):
    paints = Paints()
    steps = []
    bar.steps.timeout.connect(lambda: steps.append(None))
    bar.installEventFilter(paints)
    qtbot.waitUntil(lambda: len(steps) >= 4, timeout=30_000)
    assert paints.count <= len(steps) + 2, "Qt's own bar is drawn thirty times a second"


def test_it_is_a_usual_bar_once_the_end_is_known(bar):
    bar.setRange(0, 10)
    bar.setValue(5)
    bar.setTextVisible(False)
    assert not bar.steps.isActive()
    assert np.flatnonzero(lit(bar)).tolist() == list(range(100))
    bar.setRange(0, 0)
    assert bar.steps.isActive()


def test_nothing_moves_out_of_sight(bar):
    bar.hide()
    assert not bar.steps.isActive()
    bar.show()
    assert bar.steps.isActive()


@pytest.mark.parametrize("kind", [JobRunner, ModelFetch])
def test_waits_of_unknown_length_have_it(kind, qtbot):
    widget = kind()
    qtbot.addWidget(widget)
    assert all(isinstance(each, CalmBar) for each in widget.findChildren(QProgressBar))
