"""The plots: clicked, drawn in both themes, and offered where there is something to draw."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
from qtpy.QtCore import QPoint, Qt
from qtpy.QtWidgets import QStyle, QStyleOptionComboBox

from napari_pqcomq.results.figures import plots_panel
from napari_pqcomq.results.figures.plots_panel import PlotsPanel
from napari_pqcomq.widgets.controls.combo_boxes import keep_narrow
from pqcomq.comparison.box_perturbation import BoxJitter, MovedBox
from pqcomq.comparison.gate import Tolerance


def pixel_of(canvas, axes, x, y):
    """Where a point of a plot lies in the widget."""
    right, up = axes.transData.transform((x, y)) / canvas.device_pixel_ratio
    return QPoint(round(right), round(canvas.height() - up))


def settled(canvas, qtbot):
    """Until the plot is drawn for the size that its widget has."""
    qtbot.waitUntil(lambda: not canvas._resized.isActive())


def test_a_click_on_the_plot_chooses_the_slice(shown, result, qtbot, store):
    panel = shown(PlotsPanel(store))
    store.set_result(result)
    canvas = panel.canvas
    qtbot.waitUntil(lambda: canvas.height() == round(canvas.figure.bbox.height / canvas.device_pixel_ratio))
    qtbot.wait(100)  # the layout's last resize
    settled(canvas, qtbot)
    canvas.draw()
    with qtbot.waitSignal(panel.slice_chosen) as chosen:
        place = pixel_of(canvas, canvas.figure.axes[0], 6.3, 0.8)
        qtbot.mouseClick(canvas, Qt.MouseButton.LeftButton, pos=place)
    assert chosen.args == [6]
    panel.set_slice(6)
    with qtbot.waitSignal(panel.slice_chosen) as chosen:
        qtbot.keyClick(canvas, Qt.Key.Key_Right)
    assert chosen.args == [7]
    panel.set_slice(8)
    with qtbot.waitSignal(panel.slice_chosen) as chosen:
        qtbot.keyClick(canvas, Qt.Key.Key_Right)
    assert chosen.args == [8], "not beyond the box"


def test_a_plot_is_placed_anew_for_another_size(shown, result, qtbot, store):
    panel = shown(PlotsPanel(store))
    store.set_result(result)
    panel.plots.setCurrentText(plots_panel.AGREEMENT)

    def columns():
        return panel.canvas.figure.axes[0].get_subplotspec().get_gridspec().ncols

    for size, expected in (((900, 190), 3), ((700, 600), 1), ((900, 190), 3)):  # as at 1280 × 800, and dragged higher
        panel.window().resize(*size)
        qtbot.waitUntil(lambda expected=expected: columns() == expected)
        panel.canvas.draw()
        heights = [axes.bbox.height for axes in panel.canvas.figure.axes]
        assert min(heights) > 50 * panel.canvas.device_pixel_ratio


def test_the_slice_in_sight_is_a_line_that_moves(shown, result, qtbot, store):
    panel = shown(PlotsPanel(store))
    store.set_result(result)
    panel.canvas.draw()
    pictures = []
    for z in (4, 7, 4):
        panel.set_slice(z)
        pictures.append(np.asarray(panel.canvas.buffer_rgba()).copy())
    assert (pictures[0] != pictures[1]).any()
    assert (pictures[0] == pictures[2]).all()


def test_every_plot_is_drawn_in_both_themes(shown, result, store):
    panel = shown(PlotsPanel(store))
    panel.set_tolerance(Tolerance())
    store.set_result(result)
    box = result.objects[0].comparisons[0].box
    jitter = BoxJitter(5, (7.5, 10.0), 0, (MovedBox(box, 0.9, None), MovedBox(box, 0.8, None)))
    store.set_jitters({1: jitter})
    assert panel.plots.currentText() == plots_panel.JITTER
    kinds = [panel.plots.itemText(index) for index in range(panel.plots.count())]
    assert len(kinds) == 6
    for dark in (True, False):
        panel.set_dark(dark)
        for kind in kinds:
            panel.plots.setCurrentText(kind)
            panel.canvas.draw()
            corner = np.asarray(panel.canvas.buffer_rgba())[0, 0, :3].mean()
            assert (corner < 80) == dark, "the plot's ground is the theme's"
            assert panel.canvas.accessibleName() == f"{kind}, cube"


def test_nothing_is_drawn_before_it_is_looked_at(result, qtbot, store):
    panel = PlotsPanel(store)
    qtbot.addWidget(panel)
    store.set_result(result)
    assert panel.canvas is None
    panel.show()
    qtbot.waitExposed(panel)
    assert panel.canvas is not None


def test_without_truth_and_weights_their_plots_are_not_offered(shown, result, store):
    bare = replace(result.objects[0], truth=None)
    panel = shown(PlotsPanel(store))
    candidates = (SimpleNamespace(weights=None),) * 2
    store.set_result(replace(result, objects=(bare,), candidates=candidates))
    kinds = {panel.plots.itemText(index) for index in range(panel.plots.count())}
    assert kinds == {plots_panel.ALONG, plots_panel.AGREEMENT, plots_panel.LATENCIES}


def test_another_object_offers_its_own_plots_alone(shown, store, result):
    bare = replace(result.objects[0], name="bare", number=2, truth=None)
    panel = shown(PlotsPanel(store))
    store.set_result(replace(result, objects=(*result.objects, bare)))
    panel.plots.setCurrentText(plots_panel.ACCURACY)
    panel.objects.setCurrentText("bare")
    assert panel.plots.findText(plots_panel.ACCURACY) == -1
    assert panel.canvas.accessibleName() == f"{plots_panel.ALONG}, bare"


def test_no_plot_s_name_is_cut(shown, result, store):
    panel = shown(PlotsPanel(store))
    keep_narrow(panel.plots)  # as the dock does with all lists
    store.set_result(result)
    option = QStyleOptionComboBox()
    panel.plots.initStyleOption(option)
    field = panel.plots.style().subControlRect(
        QStyle.ComplexControl.CC_ComboBox, option, QStyle.SubControl.SC_ComboBoxEditField, panel.plots
    )
    for index in range(panel.plots.count()):
        assert panel.plots.fontMetrics().horizontalAdvance(panel.plots.itemText(index)) <= field.width()
