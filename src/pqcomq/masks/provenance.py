"""The record beside a mask: everything needed to say how it was made, and nothing of the patient unless asked for.

The volume is named by the hash of its voxels; a remedy that its geometry needed is recorded. File names, series
descriptions and dates of the source are left out with the patient's data: they often hold a name. UIDs are left out as
well; where they are needed, in a DICOM object, the object itself holds them.
"""

from __future__ import annotations

import importlib.metadata
import platform
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pqcomq
from pqcomq.dicom_masks.referenced_series import source_identity
from pqcomq.masks.file_formats import mask_kind
from pqcomq.masks.named_mask import NamedMask
from pqcomq.models.checkpoint import file_sha256
from pqcomq.volumes.volume import Volume

FORMAT, SCRIBBLE_FORMAT = 2, 3
"""From the first on, a prompt may have points; the other is only of records with a scribble."""
_LIBRARIES = ("torch", "numpy", "SimpleITK", "pydicom", "highdicom")


def provenance(
    path: Path, written: Path, masks: Mapping[int, NamedMask], volume: Volume, *, with_patient: bool
) -> dict[str, Any]:
    """What the record says, JSON-ready.

    Args:
        path: the mask's file as it will be called.
        written: where it lies now; its content is hashed.
        masks: by their number in the file.
        volume: that they lie on.
        with_patient: also say whose volume it is and from which files.

    Raises:
        InputError: the patient is asked for, and the source can no longer be read or is of several patients.
    """
    is_drawn = any(each.origin is not None and each.origin.prompt.scribble is not None for each in masks.values())
    return {
        "format": SCRIBBLE_FORMAT if is_drawn else FORMAT,
        "written": datetime.now(UTC).isoformat(timespec="seconds"),
        "note": "Research use only: not for diagnosis or treatment.",
        "file": {"kind": mask_kind(path).words, "sha256": file_sha256(written)},
        "objects": [_described(number, mask, volume) for number, mask in masks.items()],
        "volume": {
            "voxels_sha256": volume.sha256,
            "modality": volume.modality,
            "size_xyz": list(volume.grid.size),
            "spacing_mm_xyz": list(volume.grid.spacing),
            "remedies": [{"for": each.kind, "chosen": each.chosen} for each in volume.findings if each.chosen],
        },
        "versions": _versions(),
        "patient": _patient(volume) if with_patient else None,
    }


def _described(number: int, named: NamedMask, volume: Volume) -> dict[str, Any]:
    voxels = int(named.mask.sum())
    made = None if named.origin is None else named.origin.to_dict(volume.grid)
    return {
        "number": number,
        "name": named.name,
        "voxels": voxels,
        "volume_ml": voxels * volume.grid.voxel_millilitres,
        "made_by": "hand, or not recorded" if made is None else "model",
        "edited_since": None if named.origin is None else named.origin.is_edited(named.mask),
        "origin": made,
    }


def _versions() -> dict[str, str]:
    libraries = {name: importlib.metadata.version(name) for name in _LIBRARIES}
    return {"napari-pqcomq": pqcomq.__version__, "python": platform.python_version()} | libraries


def _patient(volume: Volume) -> dict[str, Any]:
    """Whose volume it is, as far as its files say."""
    source = None if volume.source is None else str(volume.source)
    return {"volume_name": volume.name, "source": source} | source_identity(volume)
