"""The demo in a window: ``python -m napari_pqcomq.demo [BITS]``, started by ``pqcomq demo``.

The synthetic CT is opened, a quick quantization starts at once and the comparison follows.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING

from napari_pqcomq.translation import tr
from pqcomq.cpu_settings import apply_cpu_settings
from pqcomq.quiet_terminal import keep_others_warnings_in_log, redirect_others_warnings

if TYPE_CHECKING:
    import napari

    from napari_pqcomq.app.compare_widget import CompareWidget

_WINDOW_SIZE = (1600, 950)


def open_demo(bits: int) -> tuple[napari.Viewer, CompareWidget]:
    """A viewer with the sample and the dock, comparing at ``bits`` bits."""
    # Here and not above, since they import torch: the process is set up before that.
    import napari
    from napari.layers import Layer
    from qtpy.QtGui import QGuiApplication

    from napari_pqcomq.app.compare_widget import CompareWidget
    from napari_pqcomq.io.sample_data import synthetic_ct_sample

    viewer = napari.Viewer(title="pqcomq demo", show_welcome_screen=False)
    screen = QGuiApplication.primaryScreen().availableSize()
    viewer.window.resize(min(_WINDOW_SIZE[0], screen.width()), min(_WINDOW_SIZE[1], screen.height()))
    for layer in synthetic_ct_sample():
        viewer.add_layer(Layer.create(*layer))
    dock = CompareWidget(viewer)
    viewer.window.add_dock_widget(dock, name="Compare precisions")
    dock.panels.model.choose_bits(bits)
    dock.panels.truth.choose_layer(viewer.layers["Organs (ground truth)"])
    _compare_quickly(dock)
    return viewer, dock


def _compare_quickly(dock: CompareWidget) -> None:
    """Quantize for a first look, and go on as if the weights had been loaded; **Quantize** makes those of the form."""
    from napari_pqcomq.jobs.models.choices import CalibrationChoice, ModelChoice
    from napari_pqcomq.jobs.models.weights_jobs import QuantizeJob
    from pqcomq.cli.demo import DEMO_SLICES
    from pqcomq.quantization.planning.presets import quick_config
    from pqcomq.quantization.quantized_model import QuantizedModel

    panels, workflow = dock.panels, dock.workflow
    choice = panels.model.choice
    quick = replace(choice, settings=quick_config(choice.key, choice.settings.bits))
    volume = panels.volume.volume
    assert volume is not None  # noqa: S101 (the sample was just opened)
    job = QuantizeJob((quick,), CalibrationChoice(DEMO_SLICES), volume, panels.volume.intensity_window, workflow.models)

    def take(made: dict[ModelChoice, QuantizedModel]) -> None:
        workflow.weights.take({choice: made[quick]})
        workflow.compare()

    panels.jobs.start(job.steps, take, tr("A first look: calibrating on {slices} slices…", slices=DEMO_SLICES))


def main() -> None:
    """Open the demo, in a process of its own, and stay until its window is closed."""
    apply_cpu_settings()
    keep_others_warnings_in_log()
    import napari
    from qtpy.QtCore import QTimer

    open_demo(int(sys.argv[1]) if len(sys.argv) > 1 else 4)
    QTimer.singleShot(0, redirect_others_warnings)  # napari takes all warnings over as it begins to run
    napari.run()


if __name__ == "__main__":
    main()
