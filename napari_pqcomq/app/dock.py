"""What napari opens: the dock at once, and what it needs as soon as that is imported.

torch, OpenVINO's helpers, DICOM and plots take seconds to import. They are imported in a thread; meanwhile the dock
is there, volumes can be opened, and the window stays awake.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from qtpy.QtWidgets import QWidget

from napari_pqcomq.jobs.models.triton_guard import keep_triton_out
from napari_pqcomq.setup.open_menu import OpenMenu
from napari_pqcomq.translation import tr
from napari_pqcomq.widgets.dock.late_dock import LateDock

if TYPE_CHECKING:
    from napari_pqcomq.app.compare_widget import CompareWidget


class CompareDock(LateDock):
    """Holds the dock's parts once they are imported; volumes can be opened before."""

    parts: CompareWidget | None
    _menu: OpenMenu | None = None  # of the waiting page
    module = "napari_pqcomq.app.compare_widget"
    waiting_text = tr("Loading the models' code, once in each napari session. Volumes can be opened meanwhile.")

    def before_import(self) -> None:
        """Some of what is imported looks for triton, which must not meet the LLVM of the canvas."""
        keep_triton_out()

    def make_parts(self) -> tuple[CompareWidget, Iterator[None]]:
        """The dock's parts, still to be made."""
        from napari_pqcomq.app.compare_widget import CompareWidget

        parts = CompareWidget(self.viewer, in_steps=True)
        return parts, parts.making

    def leave_waiting_page(self) -> None:
        """A menu that fetches something would go with its page, and nobody open what it fetches."""
        if self._menu is not None and self._menu.is_downloading:
            self._menu.setVisible(False)
            self._menu.setParent(self)

    def release_parts(self) -> None:
        """Let go of the viewer: the dock is closed."""
        if self.parts is not None:
            self.parts.release()

    def finish_work(self) -> None:
        """Have the layers that are on their way, while there is still a viewer for them."""
        if self.parts is not None:
            self.parts.finish()

    def leave_window(self) -> None:
        """Keep settings and work, and end what runs: the window goes."""
        if self.parts is not None:
            self.parts.leave()

    def waiting_page(self) -> QWidget:
        """What is seen until the parts are imported, with the menu that opens volumes."""
        page = super().waiting_page()
        column = page.layout()
        assert column is not None  # noqa: S101 (made by the page)
        self._menu = OpenMenu(self.viewer)
        column.insertWidget(0, self._menu)  # type: ignore[attr-defined]
        return page
