"""A tooltip for every control that its own module has given none."""

from __future__ import annotations

from qtpy.QtWidgets import QWidget

from napari_pqcomq.app.panels import Panels
from napari_pqcomq.widgets.controls.collapsible import Collapsible


def explain_controls(panels: Panels, dock: QWidget) -> None:
    """Set the tooltips of the dock's controls that have none of their own module."""
    for widget, text in _texts(panels).items():
        widget.setToolTip(text)
    for section in dock.findChildren(Collapsible):
        section.button.setToolTip(f"Show or hide: {section.button.text()}.")


def _texts(panels: Panels) -> dict[QWidget, str]:
    model, weights, prompts, study = panels.model.form, panels.weights, panels.prompts, panels.reader_study
    left, right, neither = study.choices.values()
    return {
        panels.volume.layers: "The volume that the models segment. Other layers stay as they are.",
        model["key"].native: "The model that is quantized and compared with its quantized copies.",
        model["file"].line_edit.native: "The checkpoint file of the model, with its weights in full precision.",
        model["file"].choose_btn.native: "Look for the checkpoint file.",
        weights.quantize_button: "Make the quantized copies now. Compare does it by itself where it is to be done.",
        weights.load_button: "Read quantized weights from a file saved here or by “pqcomq quantize”.",
        weights.save_button: "Write the quantized weights that were made or loaded last to a file.",
        prompts.remove_button: "Remove the object chosen in the list, with its box (Ctrl+Z brings it back).",
        prompts.layers: "The shapes layer whose rectangles are the boxes.",
        panels.truth.layers: "Labels drawn by an expert, if there are any: masks are then held against them as well.",
        panels.truth.label: "The label of the organ in the box; it follows the box until you set another.",
        panels.truth.open_button: "Read a file of labels that lie on the volume's grid.",
        study.start_button: "Show pairs of masks in an order drawn by lot, without names, and ask which is better.",
        study.bar: "How many of the pairs are done.",
        study.stop_button: "End the reading before its last pair; what was answered is in the file already.",
        left: "The left mask fits the organ better.",
        right: "The right mask fits the organ better.",
        neither: "Neither mask is better.",
        panels.gate.export_button: "Write the verdicts with their reasons to a CSV file.",
        panels.plots.objects: "The object that the plot is about.",
        panels.plots.plots: "What is plotted.",
        panels.export.models: "The model whose masks are written.",
        panels.export.form.button: "Ask for a file and write the masks to it, with a record of how they were made.",
        panels.export.form.choice["kind"].native: "The kind of file that the masks are written to.",
        panels.session.save_button: "Keep masks, figures, weights and a report to read in one folder.",
        panels.session.page_button: "Open the report in the browser.",
        panels.session.open_button: "Show a saved session on the open volume, which must be the session's.",
        panels.jobs.bar: "How much of the work is done.",
        panels.jobs.cancel_button: "Stop after the step that is under way.",
        panels.actions.close_button: "Close the comparison; the view becomes what it was before.",
    }
