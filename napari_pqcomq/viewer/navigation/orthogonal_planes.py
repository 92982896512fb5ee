"""The three orthogonal planes and the 3-D view, as a radiologist expects them on screen."""

from __future__ import annotations

from enum import Enum

from napari.components import ViewerModel

from napari_pqcomq.layers.axes_in_sight import axes_in_sight


class Plane(Enum):
    """Order of the axes z y x, the last two on screen (down, across), and which way the vertical one runs.

    Slices are seen from the feet and from the front, and the head is up: volumes stand in LPS order, whose z axis runs
    to the head.
    """

    AXIAL = (0, 1, 2), "down"
    CORONAL = (1, 0, 2), "up"
    SAGITTAL = (2, 0, 1), "up"


def show_plane(viewer: ViewerModel, plane: Plane) -> None:
    """Show slices in a plane."""
    order, vertical = plane.value
    # First: who hears of the plane places the camera, and must know which way is down.
    viewer.scene.camera.orientation2d = (vertical, "right")  # type: ignore[assignment]  # names are taken
    viewer.dims.ndisplay = 2
    viewer.dims.order = order
    show_unmirrored(viewer)


def show_surfaces(viewer: ViewerModel) -> None:
    """Show the volume in three dimensions."""
    viewer.dims.order = Plane.AXIAL.value[0]
    show_unmirrored(viewer)
    viewer.dims.ndisplay = 3


def show_unmirrored(viewer: ViewerModel) -> None:
    """Let depth run so that a patient in 3-D is no mirror image; slices look the same either way.

    Volumes stand in LPS order, whose axes x y z are right-handed. napari lets z come towards the viewer where y runs
    down, which shows the left kidney on the right, whichever way the camera is turned.
    """
    camera = viewer.scene.camera
    vertical, horizontal = camera.orientation2d
    depth = "away" if (vertical == "down") == (horizontal == "right") else "towards"
    if camera.orientation[0] != depth:
        camera.orientation = (depth, vertical, horizontal)  # type: ignore[assignment]  # names are taken


def current_plane(viewer: ViewerModel) -> Plane | None:
    """The plane in sight, None in 3-D or with the axes in another order."""
    if viewer.dims.ndisplay != 2:
        return None
    axes = axes_in_sight(viewer.dims)
    return next((plane for plane in Plane if plane.value[0] == axes), None)
