"""Whether a volume's values can be what a scanner measured."""

from __future__ import annotations

import numpy as np

from pqcomq.volumes.import_issues import ImportIssue

MOST_HOUNSFIELD = 1e5
"""Beyond the extended scale of CT for metal, which ends at 65,535."""
MOST = 1e9
"""Beyond what other modalities store: activities of a PET in Bq/mL end below 10⁸."""
LEAST = 1e-12


def value_findings(voxels: np.ndarray, modality: str) -> tuple[ImportIssue, ...]:
    """A finding where values are larger, or all of them smaller, than any scanner's.

    Args:
        voxels: finite, of any shape.
        modality: ``"CT"`` is measured in Hounsfield units.

    Examples:
        >>> value_findings(np.array([0, 3e30], np.float32), "MR")[0].sentence
        'Values reach 3e+30, which no scanner measures; slope or intercept in the file may be damaged.'
        >>> value_findings(np.array([-1000, 3000], np.int16), "CT")
        ()
    """
    most = MOST_HOUNSFIELD if modality == "CT" else MOST
    if not voxels.size or _cannot_exceed(voxels.dtype, most):
        return ()
    largest = max(abs(float(voxels.min())), abs(float(voxels.max())))
    if largest > most:
        told = f"Values reach {largest:.3g}, which no scanner measures"
    elif 0 < largest < LEAST:
        told = f"No value is larger than {largest:.3g}, which no scanner measures"
    else:
        return ()
    return (ImportIssue("values", f"{told}; slope or intercept in the file may be damaged."),)


def _cannot_exceed(dtype: np.dtype, most: float) -> bool:
    """Whether no number of a type is beyond; a volume of short integers, as of most CTs, need not be looked through."""
    return dtype.kind in "iu" and np.iinfo(dtype).max <= most and -np.iinfo(dtype).min <= most
