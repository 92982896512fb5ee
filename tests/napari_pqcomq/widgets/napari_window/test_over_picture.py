"""What stands over the picture stands below napari's own messages."""

from __future__ import annotations

from napari._qt.dialogs.qt_notification import NapariQtNotification
from qtpy.QtWidgets import QDialog, QWidget

from napari_pqcomq.viewer.comparison.comparison_view import ComparisonView
from napari_pqcomq.viewer.modes.mode_registry import SWIPE
from napari_pqcomq.viewer.overlays.direction_letters import DirectionLetters
from napari_pqcomq.viewer.scene import Pane, Scene
from napari_pqcomq.viewer.sides.side_layers import LEFT_COLOUR, RIGHT_COLOUR
from napari_pqcomq.widgets.napari_window.gl_context import canvas_of
from pqcomq.segmentation.box import Box3D


def test_a_message_covers_what_is_put_over_the_picture_after_it(shown_viewer, volume, masks, qtbot):
    window = shown_viewer.window._qt_window
    canvas = canvas_of(window)
    message = NapariQtNotification("The folder holds no session", "error", parent=canvas)
    message.show()
    view, letters = ComparisonView(shown_viewer, window), DirectionLetters(shown_viewer, window)
    full, quantized = Pane("FP32", (), masks[0], LEFT_COLOUR), Pane("4-bit", (), masks[1], RIGHT_COLOUR)
    view.open([full, quantized], Scene.of_box(volume, (-160.0, 240.0), Box3D(5, 5, 3, 17, 15, 8)))
    letters.set_volume(volume)
    view.show(SWIPE)
    qtbot.wait(100)
    over = [each for each in canvas.children() if isinstance(each, QWidget)]  # the lowest first
    ours = [each for each in over if type(each).__module__.startswith("napari_pqcomq.")]
    assert len({type(each).__name__ for each in ours}) == 3, "strips, letters and scale bars"
    assert message in over
    assert max(map(over.index, ours)) < min(over.index(each) for each in over if isinstance(each, QDialog))
    message.close()
    view.close()
    letters.release()
