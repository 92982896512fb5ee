"""Saving quantized weights: which they are stands in the dialog, and their name gets its ending."""

from __future__ import annotations

from napari_pqcomq.setup.weights_panel import WeightsPanel


def test_the_dialog_names_what_is_saved_and_the_file_gets_its_ending(qtbot, monkeypatch, tmp_path):
    panel, asked = WeightsPanel(), []
    qtbot.addWidget(panel)
    panel.offer(quantize=True, load=True, save="")
    assert not panel.save_button.isEnabled()
    panel.offer(quantize=True, load=True, save="8-bit Round to nearest")

    def dialog(_parent, title, *_given):
        asked.append(title)
        return str(tmp_path / "lite"), ""

    monkeypatch.setattr("napari_pqcomq.widgets.dock.save_dialog.QFileDialog.getSaveFileName", dialog)
    with qtbot.waitSignal(panel.save_requested) as saved:
        panel.save_button.click()
    assert asked == ["Save quantized weights: 8-bit Round to nearest"]
    assert saved.args == [tmp_path / "lite.safetensors"]
