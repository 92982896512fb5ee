from __future__ import annotations

import pytest
from qtpy.QtWidgets import QWidget

from napari_pqcomq.app.panels import make_panels
from napari_pqcomq.app.workflow import Workflow
from pqcomq.comparison.compared_model import ComparedModel
from pqcomq.comparison.comparison_result import ComparisonResult, ObjectComparison


@pytest.fixture
def result(volume, masks, comparison_of, lite_medsam, eight_bits):
    """A finished comparison of one object at 8 bits."""
    left, right = masks
    comparison = comparison_of(volume, left, right, truth=left, precision=eight_bits.settings.title)
    sides = ComparedModel.full(lite_medsam), (ComparedModel.quantized(eight_bits),)
    return ComparisonResult(volume, (ObjectComparison("cube", (comparison,), left),), *sides)


@pytest.fixture
def bare(qtbot):
    """An empty widget where the dock would be."""
    widget = QWidget()
    qtbot.addWidget(widget)
    return widget


@pytest.fixture
def panels(viewer, bare):
    """The panels without the dock."""
    panels = make_panels(viewer, bare)
    yield panels
    panels.release()


@pytest.fixture
def workflow(panels, bare):
    return Workflow(panels, bare)
