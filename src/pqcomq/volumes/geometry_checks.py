"""What a regular grid itself gives cause to say."""

from __future__ import annotations

import numpy as np

from pqcomq.volumes.grid import OBLIQUE_DEGREES, Grid
from pqcomq.volumes.import_issues import ImportIssue

MOST_SPACING = 20.0
"""Millimetres between slices or pixels beyond which the header is doubted, though it may be a scout."""
MOST_ANISOTROPY = 25.0
"""The same of the largest by the smallest spacing."""

NO_DIRECTIONS = ImportIssue(
    "place", "The file does not say how it lies in the patient; left, front and top are assumed."
)
"""Of a file that has no directions."""
NO_SPACING = ImportIssue(
    "no spacing",
    "The file does not say how far apart its voxels lie; 1 mm is assumed, so that lengths and volumes in mL are in "
    "doubt.",
)
"""Of a file that has no spacing."""


def geometry_findings(grid: Grid) -> tuple[ImportIssue, ...]:
    """Harmless oddities of the grid of a file: oblique axes, unlikely spacing."""
    findings = []
    if grid.tilt_degrees > OBLIQUE_DEGREES:
        told = f"The volume is oblique by {grid.tilt_degrees:.3g}°; it is shown along its own axes, which are nearly "
        findings.append(ImportIssue("oblique", told + "the patient's, and masks keep its exact place."))
    spacing = np.array(grid.spacing)
    counted = spacing[np.array(grid.size) > 1]
    if counted.size and (counted.max() > MOST_SPACING or counted.max() > MOST_ANISOTROPY * counted.min()):
        listed = " x ".join(f"{s:.4g}" for s in spacing)
        findings.append(ImportIssue("unlikely", f"The spacing of {listed} mm is unusual; volumes in mL depend on it."))
    return tuple(findings)
