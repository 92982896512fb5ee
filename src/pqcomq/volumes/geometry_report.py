"""What a volume's geometry is, and what was odd about it: told at load, on screen and on the command line."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pqcomq.volumes.import_issues import ImportIssue, Remedy, chosen_remedies
from pqcomq.volumes.volume import Volume

SEVERITIES = ("harmful", "doubtful", "harmless")


@dataclass(frozen=True)
class GeometryReport:
    """The geometry of a volume's file.

    Attributes:
        size: voxels along the file's axes x, y, z.
        spacing_mm: between voxel centres, in the same order.
        orientation: where the file's axes point, e.g. ``"LPS"``.
        tilt_degrees: how far it is oblique.
        first_voxel_mm: LPS millimetres of the centre of the file's first voxel.
        findings: what was odd.
    """

    size: tuple[int, int, int]
    spacing_mm: tuple[float, float, float]
    orientation: str
    tilt_degrees: float
    first_voxel_mm: tuple[float, float, float]
    findings: tuple[ImportIssue, ...]

    @classmethod
    def of(cls, volume: Volume) -> GeometryReport:
        """Report on a volume that was read."""
        grid = volume.file_grid
        return cls(grid.size, grid.spacing, grid.orientation, grid.tilt_degrees, grid.origin, volume.findings)

    @property
    def remedies(self) -> tuple[Remedy, ...]:
        """Remedies that the user chose for it to open."""
        return chosen_remedies(self.findings)

    def sentences(self) -> list[str]:
        """For people, a line each: the facts, then the findings, the harmful ones first, then the doubtful ones."""
        size, spacing, place = (
            " x ".join(f"{value:.6g}" for value in values)
            for values in (self.size, self.spacing_mm, self.first_voxel_mm)
        )
        lines = [
            f"{size} voxels of {spacing} mm, axes to {self.orientation}"
            + (f", oblique by {self.tilt_degrees:.3g}°" if self.tilt_degrees > 0.05 else ""),
            f"first voxel at {place} mm (left, back, head)",
        ]
        ordered = sorted(self.findings, key=lambda finding: SEVERITIES.index(finding.severity))
        return lines + ([f"{finding.severity}: {finding}" for finding in ordered] or ["nothing odd was found"])

    def to_dict(self) -> dict[str, Any]:
        """For machines and provenance."""
        return {
            "size": list(self.size),
            "spacing_mm": list(self.spacing_mm),
            "orientation": self.orientation,
            "tilt_degrees": self.tilt_degrees,
            "first_voxel_mm": list(self.first_voxel_mm),
            "remedies": list(self.remedies),
            "findings": [finding.to_dict() for finding in self.findings],
        }
