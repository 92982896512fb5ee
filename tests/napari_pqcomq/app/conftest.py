from __future__ import annotations

import pytest
from qtpy.QtWidgets import QWidget

from napari_pqcomq.app.on_screen.comparison_on_screen import ComparisonOnScreen
from napari_pqcomq.app.panels.panels import make_panels
from napari_pqcomq.app.workflow import Workflow
from pqcomq.comparison.compared_model import ComparedModel
from pqcomq.comparison.comparison_result import ComparisonResult, ObjectComparison
from pqcomq.progress import finished


@pytest.fixture
def result(volume, masks, comparison_of, lite_medsam, eight_bits):
    """A finished comparison of one object at 8 bits."""
    left, right = masks
    comparison = comparison_of(volume, left, right, truth=left, precision=eight_bits.settings.title)
    sides = ComparedModel.full(lite_medsam), (ComparedModel.quantized(eight_bits),)
    return ComparisonResult(volume, (ObjectComparison("cube", (comparison,), left),), *sides)


@pytest.fixture
def bare(qapp):
    """An empty widget where the dock would be."""
    return QWidget()


@pytest.fixture
def panels(viewer, bare, qtbot):
    """The panels without the dock; released before a test's widgets, which may hold them, are deleted."""
    panels = finished(make_panels(viewer, bare))
    qtbot.addWidget(bare, before_close_func=lambda _bare: panels.release())
    return panels


@pytest.fixture
def workflow(panels, bare):
    return Workflow(panels, ComparisonOnScreen(panels, bare), bare)
