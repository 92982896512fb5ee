"""The session's panel asks where to save and what to open."""

from __future__ import annotations

from qtpy.QtCore import Qt

from napari_pqcomq.results.session_panel import SessionPanel


def test_the_session_panel_asks_where(shown, qtbot, tmp_path, monkeypatch):
    panel = shown(SessionPanel())
    assert not panel.save_button.isEnabled()
    panel.offer(move=True, save=True)
    dialogs = "napari_pqcomq.results.session_panel.QFileDialog"
    monkeypatch.setattr(f"{dialogs}.getSaveFileName", lambda *given: (str(tmp_path / "new"), ""))
    monkeypatch.setattr(f"{dialogs}.getExistingDirectory", lambda *given: str(tmp_path))
    with qtbot.waitSignal(panel.save_requested) as save:
        qtbot.mouseClick(panel.save_button, Qt.MouseButton.LeftButton)
    with qtbot.waitSignal(panel.open_requested) as opened:
        qtbot.mouseClick(panel.open_button, Qt.MouseButton.LeftButton)
    assert (save.args, opened.args) == ([tmp_path / "new"], [tmp_path])
    panel.show_message("Saved.", tmp_path / "report.html")
    assert panel.page_button.isVisible()
