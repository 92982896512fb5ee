"""Pixel spacing of ultrasound pictures, which stands in their calibrated regions alone."""

from __future__ import annotations

from pydicom.dataset import Dataset

from pqcomq.volumes.dicom.elements import OddValueError, number

CENTIMETRES = 3
"""Code of the unit of a region's axes."""
TISSUE = 1
"""Code of a region that shows tissue in two dimensions, and not a spectrum or a curve."""


def region_spacing(dataset: Dataset) -> tuple[float, float] | None:
    """Millimetres between rows and between columns.

    Returns:
        The spacing that all regions of tissue state; None where there are none, or where they differ.
    """
    found = set()
    for region in dataset.get("SequenceOfUltrasoundRegions") or []:
        try:
            if number(region, "RegionSpatialFormat") not in (None, TISSUE):
                continue
            units = number(region, "PhysicalUnitsXDirection"), number(region, "PhysicalUnitsYDirection")
            steps = number(region, "PhysicalDeltaX"), number(region, "PhysicalDeltaY")
        except OddValueError:
            return None
        if units != (CENTIMETRES, CENTIMETRES) or None in steps or 0 in steps:
            return None
        found.add((abs(steps[1] or 0) * 10, abs(steps[0] or 0) * 10))
    return found.pop() if len(found) == 1 else None
