from __future__ import annotations

import pytest
from napari.layers import Layer
from qtpy.QtWidgets import QWidget

from napari_pqcomq.app.compare_widget import CompareWidget
from napari_pqcomq.app.on_screen.comparison_on_screen import ComparisonOnScreen
from napari_pqcomq.app.panels.panels import make_panels
from napari_pqcomq.app.work.workflow import Workflow
from napari_pqcomq.layers.volume_layers import image_tuple
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


@pytest.fixture
def dock(shown_viewer, volume, loaded_once):
    """The whole dock, with a volume."""
    dock = CompareWidget(shown_viewer)
    shown_viewer.window.add_dock_widget(dock)
    shown_viewer.add_layer(Layer.create(*image_tuple(volume)))
    yield dock
    dock.panels.jobs.cancel()
    while dock.panels.jobs.is_running:
        shown_viewer.window.activate()


@pytest.fixture
def shown(dock, result, qtbot):
    """The dock with the result on screen."""
    dock.workflow.show_result(result)
    qtbot.waitUntil(lambda: dock.panels.results.isVisible() and dock.panels.store.result is result)
    return dock
