"""A tooltip for every control that its own module has given none."""

from __future__ import annotations

from qtpy.QtWidgets import QWidget

from napari_pqcomq.app.panels.panels import Panels
from napari_pqcomq.translation import tr


def explain_controls(panels: Panels) -> None:
    """Set the tooltips of the dock's controls that have none of their own module."""
    for widget, text in _texts(panels).items():
        widget.setToolTip(text)


def _texts(panels: Panels) -> dict[QWidget, str]:
    model, weights, prompts, study = panels.model.form, panels.weights, panels.prompts, panels.reader_study
    return {
        panels.volume.layers: tr("The volume that the models segment. Other layers stay as they are."),
        model["key"].native: tr("The model that is quantized and compared with its quantized copies."),
        model["file"].line_edit.native: tr("The checkpoint file of the model, with its weights in full precision."),
        model["file"].choose_btn.native: tr("Look for the checkpoint file."),
        weights.quantize_button: tr("Make the quantized copies now. Compare does it by itself where it is to be done."),
        weights.load_button: tr("Read quantized weights from a file saved here or by “pqcomq quantize”."),
        weights.save_button: tr(
            "Write the quantized weights of the chosen width to a file; of several, those made or loaded last."
        ),
        prompts.remove_button: tr("Remove the object chosen in the list, with its box (Ctrl+Z brings it back)."),
        prompts.layers: tr("The shapes layer whose rectangles are the boxes."),
        panels.truth.layers: tr(
            "Labels drawn by an expert, if there are any: masks are then held against them as well."
        ),
        panels.truth.label: tr(
            "The label of the organ in the current object's box; it follows the box until you set another."
        ),
        panels.truth.open_button: tr("Read a file of labels that lie on the volume's grid."),
        study.start_button: tr("Show pairs of masks in an order drawn by lot, without names, and ask which is better."),
        study.bar: tr("How many of the pairs are done."),
        study.stop_button: tr("End the reading before its last pair; what was answered is in the file already."),
        study.choices["left"]: tr("The left mask fits the organ better."),
        study.choices["right"]: tr("The right mask fits the organ better."),
        study.choices["none"]: tr("Neither mask is better."),
        panels.gate.export_button: tr("Write the verdicts with their reasons to a CSV file."),
        panels.plots.objects: tr("The object that the plot is about."),
        panels.plots.plots: tr("What is plotted."),
        panels.export.models: tr("The model whose masks are written."),
        panels.export.form.button: tr("Ask for a file and write the masks to it, with a record of how they were made."),
        panels.export.form.choice["kind"].native: tr("The kind of file that the masks are written to."),
        panels.session.save_button: tr("Keep masks, figures, weights and a report to read in one folder."),
        panels.session.page_button: tr("Open the report in the browser."),
        panels.session.open_button: tr("Show a saved session on the open volume, which must be the session's."),
        panels.actions.close_button: tr("Close the comparison; the view becomes what it was before."),
    }
