"""Layout, keys, settings, work flow and results area, each with the panels alone: there is no dock."""

from __future__ import annotations

from dataclasses import replace
from threading import Event
from types import SimpleNamespace

import numpy as np
import pytest
from napari.layers import Layer
from napari.utils.notifications import notification_manager
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QLabel, QScrollArea

from napari_pqcomq.app.guidance.key_bindings import key_bindings
from napari_pqcomq.app.on_screen.navigation import Navigation
from napari_pqcomq.app.panels.layout import lay_out
from napari_pqcomq.app.panels.panels import make_panels
from napari_pqcomq.app.panels.steps import Steps
from napari_pqcomq.app.remembered.kept_results import KeptResults
from napari_pqcomq.app.remembered.preferences import Preferences
from napari_pqcomq.app.results.correcting import Correcting
from napari_pqcomq.app.results.current_figures import CurrentFigures
from napari_pqcomq.app.results.reader_study import ReaderStudy
from napari_pqcomq.app.work.job_requests import NO_CHECKPOINT, NO_VOLUME, compare_job, quantize_job
from napari_pqcomq.app.work.sessions import Sessions
from napari_pqcomq.jobs.comparing.kept_work import volume_key
from napari_pqcomq.layers.volume_layers import image_tuple, labels_tuple
from napari_pqcomq.prompts.marks.box_layers import boxes_tuple
from napari_pqcomq.prompts.objects.drawn_object import DrawnObject
from napari_pqcomq.viewer.comparison.correction_tool import Painted
from napari_pqcomq.viewer.modes.mode_registry import DIFFERENCE
from napari_pqcomq.widgets.napari_window.shortcuts import SEPARATOR
from pqcomq.comparison.gate import Tolerance
from pqcomq.errors import InputError
from pqcomq.progress import Progress, finished
from pqcomq.segmentation.box import Box3D
from pqcomq.volumes.import_issues import ImportIssue

BOX = Box3D(5, 5, 4, 17, 15, 5)
PATIENCE_MS = 60_000


@pytest.fixture
def prompted(viewer, volume, panels):
    """The panels with a volume and a box."""
    for layer in (image_tuple(volume), boxes_tuple(volume, {"cube": BOX})):
        viewer.add_layer(Layer.create(*layer))
    return panels


@pytest.fixture
def results_area(panels, workflow):
    """What joins its panels to view and work; it lives as long as somebody holds it."""
    figures = CurrentFigures(panels, workflow.on_screen)
    yield figures, ReaderStudy(panels, workflow.on_screen), Sessions(panels, workflow)
    figures.release()


def test_every_panel_has_its_place_in_the_layout(panels, bare):
    steps = Steps(panels)
    finished(lay_out(panels, steps, QLabel("keys"), bare))
    bare.resize(400, 1200)
    bare.show()
    tops = [step.mapTo(bare, step.rect().topLeft()).y() for step in (steps.volume, steps.model, steps.objects)]
    assert tops == sorted(set(tops)), "one below the other"
    shown = (panels.volume, panels.model, panels.weights, panels.prompts, panels.truth)
    below = (panels.session, panels.jobs, panels.actions, panels.view_bar, panels.calibration, panels.mouse_panel)
    assert all(bare.isAncestorOf(panel) for panel in (*shown, *below))
    assert panels.results_dock.isAncestorOf(panels.results)


def test_a_step_folds_when_it_is_done_and_opens_when_it_no_longer_is(prompted, workflow, bare, qtbot):
    steps = Steps(prompted, bare)  # which holds panels: Qt deletes them with it
    bare.show()
    steps.show_state([], missing=1)
    assert steps.volume.is_folded, "a volume is open"
    assert steps.volume.summary.text() == "block"
    assert not steps.model.is_folded
    qtbot.mouseClick(steps.volume.button, Qt.MouseButton.LeftButton)
    steps.show_state([], missing=1)
    assert not steps.volume.is_folded, "the user has opened it"
    steps.show_state(["4-bit"], missing=0)
    assert steps.model.is_folded
    assert steps.model.summary.text() == "LiteMedSAM · 4 bits · ready"
    assert not prompted.weights.isVisible()
    steps.show_state([], missing=1)
    assert not steps.model.is_folded, "there is something to do again"
    assert steps.objects.summary.text() == "1 object, cube"
    qtbot.mouseClick(steps.objects.button, Qt.MouseButton.LeftButton)
    assert steps.objects.is_folded


def test_what_has_no_room_folds_until_nothing_needs_scrolling(prompted, workflow, bare, qtbot):
    steps = Steps(prompted)
    finished(lay_out(prompted, steps, QLabel("keys"), bare))
    bare.resize(400, 640)
    bare.show()
    (column,) = (each for each in bare.findChildren(QScrollArea) if each.isAncestorOf(steps))
    qtbot.waitUntil(lambda: steps.model.is_folded)
    qtbot.waitUntil(lambda: column.verticalScrollBar().maximum() == 0)
    assert not steps.objects.is_folded, "the step that is worked at stays open"
    steps.model.underMouse = lambda: True
    qtbot.mouseClick(steps.model.button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: steps.objects.is_folded)
    assert not steps.model.is_folded, "the user has just opened it"


def test_what_folds_for_a_job_is_open_again_when_it_was_cancelled(prompted, workflow, bare, qtbot):
    steps, go_on = Steps(prompted), Event()
    finished(lay_out(prompted, steps, QLabel("keys"), bare))
    steps.show_state([], missing=1)
    bare.resize(400, 1600)
    bare.show()
    (column,) = (each for each in bare.findChildren(QScrollArea) if each.isAncestorOf(steps))
    qtbot.wait(100)
    bare.resize(400, 1600 - column.viewport().height() + column.widget().minimumSizeHint().height())
    qtbot.wait(100)
    opened = [not step.is_folded for step in (steps.volume, steps.model, steps.objects)]
    assert opened == [False, True, True], "there is just room for them"

    def job():
        yield Progress(0, 2, "at it")
        go_on.wait(60)
        yield Progress(1, 2, "at it")

    prompted.jobs.start(job, lambda _result: None, "at it")
    qtbot.waitUntil(lambda: steps.model.is_folded)
    prompted.jobs.cancel()
    go_on.set()
    qtbot.waitUntil(lambda: not prompted.jobs.is_running)
    qtbot.waitUntil(lambda: not steps.model.is_folded)
    qtbot.wait(100)
    assert [not step.is_folded for step in (steps.volume, steps.model, steps.objects)] == opened


def test_where_nothing_is_drawn_yet_the_step_that_draws_stays_open_in_the_smallest_window(
    viewer, volume, panels, workflow, bare, qtbot
):
    viewer.add_layer(Layer.create(*image_tuple(volume)))
    steps = Steps(panels)
    finished(lay_out(panels, steps, QLabel("keys"), bare))
    steps.show_state([], missing=1)
    bare.resize(400, 480)
    bare.show()
    qtbot.waitUntil(lambda: steps.model.is_folded)
    qtbot.wait(100)
    assert not steps.objects.is_folded, "the hint asks for a button of it"


def test_a_volume_with_something_odd_about_it_stays_open(viewer, volume, panels, bare):
    odd = replace(volume, findings=(ImportIssue("doubtful modality", "Taken for CT."),))
    viewer.add_layer(Layer.create(*image_tuple(odd)))
    steps = Steps(panels, bare)
    steps.show_state([], missing=1)
    assert not steps.volume.is_folded, "what is odd is read"


def test_no_key_means_two_things_and_each_does_what_it_says(prompted, workflow, qtbot):
    joined = Navigation(prompted, workflow.on_screen), Correcting(prompted, workflow.on_screen)
    bindings = key_bindings(prompted, *joined, lambda: None, lambda: None)
    every = [key for each in bindings for key in each.keys.split(SEPARATOR)]
    assert len(set(every)) == len(every), "no key means two things"
    keys = {each.keys: each for each in bindings}
    assert keys["N"].always, "a narrow screen's message names it before any comparison"
    keys["D"].action()
    assert prompted.view.name == DIFFERENCE
    keys["X"].action()
    assert prompted.view.hidden == {"boxes"}
    keys["X"].action()
    assert not prompted.view.hidden
    with qtbot.waitSignal(prompted.actions.compare_requested):
        keys["Ctrl+Return"].action()
    with qtbot.waitSignal(prompted.prompts.draw_requested) as asked:
        keys["E"].action()
    assert asked.args == [True]
    prompted.actions.offer(compare=False, live=True, is_open=False)
    with qtbot.assertNotEmitted(prompted.actions.compare_requested):
        keys["Ctrl+Return"].action()


def test_settings_come_back_in_other_panels(viewer, panels, bare, tmp_path):
    checkpoint = tmp_path / "medsam.pth"
    checkpoint.touch()
    panels.model.choose_model("medsam")
    panels.model.set_checkpoint(checkpoint)
    panels.calibration.choose_slices(5)
    panels.gate.set_tolerance(Tolerance(0.5, 12.5, 0.65))
    Preferences(panels).keep()
    others = finished(make_panels(viewer, bare))
    Preferences(others).restore()
    assert others.model.choice == panels.model.choice
    assert others.model.checkpoint == checkpoint
    assert others.calibration.choice.slices == 5
    assert others.gate.tolerance == Tolerance(0.5, 12.5, 0.65)
    others.release()


def test_settings_that_no_longer_make_sense_are_passed_over(panels):
    before = (panels.model.choice, panels.calibration.choice, panels.gate.tolerance, panels.view.name)
    kept = {"model": "Gone", "calibration slices": "many", "gate least dice": "good", "view": "Gone", "recent": "/a"}
    for panel in (panels.model, panels.calibration, panels.gate, panels.view, panels.volume):
        panel.restore(kept)
    assert (panels.model.choice, panels.calibration.choice, panels.gate.tolerance, panels.view.name) == before


def test_a_job_is_refused_with_the_reason(panels, workflow, viewer, volume):
    with pytest.raises(InputError, match="Open a NIfTI file"):
        quantize_job(panels, workflow.models, panels.model.choices, workflow.weights.origin)
    workflow.open_live()
    assert not panels.jobs.is_running
    assert notification_manager.records[-1].message == NO_VOLUME
    viewer.add_layer(Layer.create(*image_tuple(volume)))
    with pytest.raises(InputError, match="Nothing is prompted yet"):
        compare_job(panels, workflow.models, (), workflow.on_screen.embeddings)
    panels.model.choose_model("medsam")
    assert not workflow.can_start
    workflow.quantize()
    assert not panels.jobs.is_running
    assert notification_manager.records[-1].message == NO_CHECKPOINT


def test_what_can_be_done_follows_the_panels(prompted, workflow, eight_bits, qtbot):
    assert workflow.can_start
    assert not workflow.weights.chosen
    with qtbot.waitSignal(workflow.changed):
        prompted.model.choose_bits(8)
    with qtbot.waitSignal(workflow.changed):
        workflow.weights.take({prompted.model.choice: eight_bits})
    assert workflow.weights.chosen == (eight_bits,)
    job = compare_job(prompted, workflow.models, workflow.weights.chosen, workflow.on_screen.embeddings)
    assert job.weights == (eight_bits,)
    assert [each.box for each in job.prompts] == [BOX]
    prompted.model.choose_bits(4)
    assert not workflow.weights.chosen, "those at hand are not what is chosen now"


def test_a_result_reaches_view_table_and_plates_without_a_dock(prompted, workflow, results_area, result, viewer, qtbot):
    found = result.objects[0]
    prompted.objects.load((DrawnObject(found.number, found.name, found.box),))
    workflow.show_result(result)
    qtbot.waitUntil(lambda: prompted.store.result is result, timeout=PATIENCE_MS)
    assert prompted.view.is_open
    assert any("Dice" in text for row in prompted.metrics.texts() for text in row)
    assert prompted.session.save_button.isEnabled()
    prompted.gate.set_tolerance(Tolerance(1.0, 0))
    assert prompted.view.strips.plates[1].mark.text.startswith("✗ FAIL")
    prompted.plots.slice_chosen.emit(7)
    assert viewer.dims.current_step[0] == 7
    Navigation(prompted, workflow.on_screen).go_to_worst()
    assert viewer.dims.current_step[0] == result.comparisons[0].worst_slice
    prompted.view.close()
    assert workflow.on_screen.current_result() is None


def test_a_result_is_never_laid_over_another_volume_but_kept_for_its_own(prompted, workflow, result, viewer, volume):
    other = viewer.add_layer(Layer.create(*image_tuple(replace(volume, voxels=volume.voxels + 1))))
    prompted.volume.layers.choose(other)
    workflow.show_result(result)
    assert not prompted.view.is_open and not prompted.view.is_opening
    assert prompted.store.result is None
    assert workflow.kept.result(volume_key(volume)).objects == result.objects
    assert "“Show the last comparison”" in notification_manager.records[-1].message
    viewer.layers.clear()  # a volume that was closed meanwhile is no different
    workflow.show_result(result)
    assert not prompted.view.is_opening and prompted.store.result is None


def test_a_result_is_kept_when_the_view_is_closed_while_it_opens(prompted, workflow, result):
    workflow.show_result(result)
    assert prompted.view.is_opening
    assert not workflow.can_start, "a second job would take the result's place"
    prompted.view.close()
    assert workflow.can_start
    assert workflow.kept.result(workflow.volume_key).objects is result.objects


def two_labelled_boxes(viewer, volume, panels):
    """Opens the volume with two objects, and chooses the labels that fill their boxes, 3 and 7, as ground truth."""
    labels = np.zeros(volume.grid.shape_zyx, np.uint8)
    labels[4:6, 5:15, 5:17], labels[4:6, 18:25, 25:35] = 3, 7
    boxes = {"one": BOX, "two": Box3D(25, 18, 4, 35, 25, 5)}
    for layer in (image_tuple(volume), labels_tuple(volume, labels, "truth"), boxes_tuple(volume, boxes)):
        viewer.add_layer(Layer.create(*layer))
    panels.truth.choose_layer(viewer.layers["truth"])
    return labels


def test_the_truth_of_an_object_is_its_own_whichever_is_current(viewer, volume, panels, workflow):
    labels = two_labelled_boxes(viewer, volume, panels)
    for index in (0, 1):
        panels.objects.set_compared(index, True)
    for current in (1, 0):
        panels.objects.choose(current)
        job = compare_job(panels, workflow.models, (), workflow.on_screen.embeddings)
        assert {number: set(labels[mask]) for number, mask in job.truths.items()} == {1: {3}, 2: {7}}


def test_a_label_that_was_set_goes_with_its_object_and_comes_back_with_its_volume(
    viewer, volume, panels, workflow, bare
):
    kept = KeptResults(panels, workflow, bare)
    two_labelled_boxes(viewer, volume, panels)
    panels.objects.choose(0)
    panels.truth.label.setValue(7)
    other = replace(volume, voxels=volume.voxels + 1)
    panels.volume.layers.choose(viewer.add_layer(Layer.create(*image_tuple(other))))
    assert panels.truth.labels_set == {}
    assert volume_key(other) not in workflow.kept.truths, "labels of one patient are not kept for another"
    panels.volume.layers.choose(viewer.layers[0])
    assert panels.truth.layers.currentText() == "truth"
    assert panels.truth.labels_set == {1: 7}, "of that object, whichever is the current one"
    panels.objects.remove(0)
    panels.objects.add(BOX, "another")
    panels.objects.settle()
    assert panels.objects.current_prompt.number == 1
    assert panels.truth.label.value() == 3
    panels.objects.undo()
    panels.objects.undo()
    panels.objects.choose(0)
    assert panels.objects.current_prompt.name == "one"
    assert panels.truth.label.value() == 7, "the object that was removed is there again, and so is its label"
    kept.release()


def test_no_quantization_is_begun_for_a_choice_that_was_made_meanwhile(prompted, workflow, monkeypatch):
    started = []
    monkeypatch.setattr(prompted.jobs, "start", lambda job, take, *told, **named: started.append(take))
    workflow.compare()
    prompted.model.choose_bits(2)
    started[0]({})
    assert len(started) == 1, "only 4 bits were asked for"
    assert "Nothing follows" in notification_manager.records[-1].message
    monkeypatch.setattr(type(workflow.weights), "missing", ())
    workflow.open_live()
    prompted.model.choose_bits(8)
    started[1](())
    assert not prompted.view.is_opening, "nor is a view opened with the models of the choice before"
    assert "The view was not opened" in notification_manager.records[-1].message


def test_a_reading_of_what_is_not_on_screen_does_not_begin(prompted, workflow, results_area, result, tmp_path):
    prompted.store.set_result(result)
    prompted.reader_study.begin(tmp_path / "log.csv")
    assert not workflow.on_screen.is_reading
    assert not prompted.store.is_being_read
    assert "nothing on screen" in notification_manager.records[-1].message


def test_what_moved_boxes_gave_is_kept_with_their_volume_where_another_is_chosen(
    prompted, workflow, results_area, result, viewer, volume, qtbot, monkeypatch
):
    workflow.show_result(result)
    qtbot.waitUntil(lambda: prompted.store.result is result, timeout=PATIENCE_MS)
    started = []
    monkeypatch.setattr(prompted.jobs, "start", lambda _job, take, *told: started.append(take))
    prompted.session.jitter_requested.emit(3)
    other = viewer.add_layer(Layer.create(*image_tuple(replace(volume, voxels=volume.voxels + 1))))
    prompted.volume.layers.choose(other)
    jitters = {1: object()}
    started[0](jitters)
    assert workflow.kept.result(volume_key(volume)).jitters == jitters
    assert "The boxes on block were moved" in notification_manager.records[-1].message


def test_a_session_that_holds_no_corrections_says_so(
    prompted, workflow, results_area, result, tmp_path, qtbot, monkeypatch
):
    workflow.show_result(result)
    qtbot.waitUntil(lambda: prompted.store.result is result, timeout=PATIENCE_MS)
    started = []
    monkeypatch.setattr(prompted.jobs, "start", lambda _job, take, *told: started.append(take))
    for is_corrected in (False, True):
        if is_corrected:
            before = np.zeros(result.volume.grid.shape_zyx[1:], np.uint8)
            stroke = Painted(side=1, z=5, number=1, before=before, after=before + 1, began=0.0, ended=1.0)
            prompted.store.corrections.note(stroke)
        prompted.session.save_requested.emit(tmp_path / "session")
        started.pop()([tmp_path / "session" / "report.html"])
        assert ("the models' own masks" in prompted.session.message.text()) == is_corrected


def test_no_ground_truth_stays_none_and_one_whose_layer_is_gone_comes_back(viewer, volume, panels, workflow, bare):
    kept = KeptResults(panels, workflow, bare)
    two_labelled_boxes(viewer, volume, panels)
    assert volume_key(volume) in workflow.kept.truths
    panels.truth.layers.setCurrentIndex(0)
    assert volume_key(volume) not in workflow.kept.truths, "the user wants none"
    panels.truth.choose_layer(viewer.layers["truth"])
    viewer.layers.remove("truth")
    assert panels.truth.layer is None
    assert volume_key(volume) in workflow.kept.truths
    kept.release()


def test_the_weights_that_are_saved_are_those_of_the_chosen_width(
    prompted, workflow, eight_bits, monkeypatch, tmp_path
):
    four_bits = SimpleNamespace(segmenter=SimpleNamespace(checkpoint_bytes=1), settings=SimpleNamespace(title="4-bit"))
    started = []
    monkeypatch.setattr(prompted.jobs, "start", lambda steps, *told: started.append(steps.__self__))
    for bits, weights in ((8, eight_bits), (4, four_bits)):
        prompted.model.choose_bits(bits)
        workflow.weights.take({prompted.model.choice: weights})
    for bits, expected in (((8,), eight_bits), ((4,), four_bits), ((2,), four_bits), ((8, 4, 2), four_bits)):
        prompted.model.choose_bits(*bits)
        workflow.weights.save(tmp_path / "w.safetensors")
        assert started.pop().weights is expected, bits
