"""Every format opened as the program opens it, and by an independent reader."""

from __future__ import annotations

import copy
import json
import zipfile
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from seeds import IDENTITY, ORIGIN, SHAPE, SPACING, network

seeds_folder = Path()
"""Where the files lie that nobody damaged; to be set before anything is opened."""


def told_of(values: np.ndarray, spacing: Any) -> dict[str, Any]:
    """What two readers of a volume must agree on, in whatever order their axes are."""
    exact = values.astype(np.float64)
    return {
        "shape": sorted(int(size) for size in values.shape),
        "spacing": sorted(abs(float(step)) for step in spacing),
        "low": float(exact.min()),
        "high": float(exact.max()),
        "sum": float(np.abs(exact).sum()),
    }


def open_volume(path: Path) -> dict[str, Any]:
    from pqcomq.volumes.volume_reader import read_volume

    volume = read_volume(path)
    assert np.isfinite(volume.voxels).all(), "voxels that are not finite"
    flags = [each.kind for each in volume.findings if each.kind not in ("doubtful modality", "modality", "single")]
    return told_of(volume.voxels, volume.grid.spacing) | {"flags": flags}


def open_masks(path: Path) -> dict[str, Any]:
    from pqcomq.masks.read_masks import read_masks

    volume = _series()
    read = read_masks(path, volume)
    assert all(each.shape == volume.grid.shape_zyx for each in read.maps), "maps of another shape"
    sizes = sorted(int(read.mask(label).sum()) for label in read.names)
    return {"sizes": sizes, "flags": list(read.notes)}


@cache
def _series() -> Any:
    from pqcomq.volumes.volume_reader import read_volume

    return read_volume(seeds_folder / "series")


@cache
def _network() -> Any:
    return network()


def open_weights(path: Path) -> dict[str, Any]:
    import torch

    from pqcomq.quantization.files.module_file import load_module

    made = load_module(path, _network())
    for name, tensor in made.module.state_dict().items():
        assert bool(torch.isfinite(tensor).all()), f"{name} is not finite"
    assert bool(torch.isfinite(made.module(torch.ones(2, 12))).all()), "the output is not finite"
    shown = {name: [weight.bits, list(weight.shape)] for name, weight in made.weights.items()}
    return {"layers": shown, "values": made.module(torch.ones(2, 12)).tolist(), "flags": []}


def open_session(path: Path) -> dict[str, Any]:
    from pqcomq.comparison.gate import Tolerance, judge_objects
    from pqcomq.session.load import SavedSession

    saved = SavedSession.at(path.parent)
    told = []
    for found in saved.numbers():
        for comparison in found.comparisons:
            content = json.loads(json.dumps(comparison.to_dict(), allow_nan=False))
            told.append({name: content[name] for name in ("agreement_between_models", "slices", "prompts", "window")})
    assert all(verdict.sentence for verdict in judge_objects(saved.numbers(), Tolerance()))
    return {"found": told, "flags": []}


def open_journal(path: Path) -> dict[str, Any]:
    from pqcomq.quantization.files.resume import Journal

    journal = Journal.open(path.parent, IDENTITY)
    plan, layer = journal.plan(), journal.layer("a", (3, 8))
    shown = None if layer is None else [layer.error, layer.input_range, layer.weight.dequantize().tolist()]
    planned = None if plan is None else {name: [each.bits, each.group_size] for name, each in plan.items()}
    return {"layer": shown, "plan": planned, "flags": []}


def open_checkpoint(path: Path) -> dict[str, Any]:
    from pqcomq.models.checkpoint import load_state, read_state

    module = copy.deepcopy(_network())
    load_state(module, read_state(path), path, "the network")
    return {"tensors": {name: value.tolist() for name, value in module.state_dict().items()}, "flags": []}


OPENERS = {
    **dict.fromkeys(("DICOM", "NIfTI", "NRRD", "MetaImage", "zip"), open_volume),
    **dict.fromkeys(("SEG", "RTSTRUCT"), open_masks),
    "weights": open_weights,
    "session": open_session,
    "journal": open_journal,
    "checkpoint": open_checkpoint,
}


def second(kind: str, path: Path) -> dict[str, Any] | None:
    """What an independent reader makes of a file; None where there is none."""
    if kind == "NIfTI":
        import nibabel

        read = nibabel.load(path)
        return told_of(np.asanyarray(read.dataobj).squeeze(), nibabel.affines.voxel_sizes(read.affine))
    if kind in ("NRRD", "MetaImage"):
        import SimpleITK as sitk

        image = sitk.ReadImage(str(path))
        return told_of(sitk.GetArrayFromImage(image), image.GetSpacing())
    if kind in ("DICOM", "zip"):
        return _second_dicom(path, kind)
    if kind == "SEG":
        return _second_seg(path)
    if kind == "RTSTRUCT":
        return _second_structure_set(path)
    if kind == "session":
        content = json.loads(path.read_text())
        names = ("agreement_between_models", "slices", "prompts", "window")
        found = [each["found"] for one in content["objects"] for each in one["comparisons"]]
        for each in found:
            each["agreement_between_models"].setdefault("nsd_tolerance_mm", 2.0)  # as the first sessions were
            for scores in each["slices"]:
                scores.setdefault("candidate_stability", None)
        return {"found": [{name: each[name] for name in names} for each in found]}
    if kind in ("journal", "weights"):
        return _whole(kind, path.name)
    if kind == "checkpoint" and zipfile.is_zipfile(path):  # PyTorch's older format holds no checksums
        return {"tensors": {name: value.tolist() for name, value in _network().state_dict().items()}}
    return None


@cache
def _whole(kind: str, name: str) -> dict[str, Any]:
    """What a file of ours held before it was damaged: its checksums let nothing else through."""
    whole = OPENERS[kind](seeds_folder / ("journal" if kind == "journal" else "") / name)
    return {key: whole[key] for key in ("layer", "values") if key in whole}


def _second_dicom(path: Path, kind: str) -> dict[str, Any]:
    from io import BytesIO

    import pydicom
    from pydicom.pixels import apply_modality_lut

    if kind == "zip":
        with zipfile.ZipFile(path) as archive:
            members = [archive.read(info) for info in archive.infolist() if not info.is_dir()]
        streams = [BytesIO(member) for member in members if member[128:132] == b"DICM"]
    else:
        streams = [BytesIO(path.read_bytes())]
    planes = []
    for stream in streams:
        dataset = pydicom.dcmread(stream)
        if dataset.Modality in ("SEG", "RTSTRUCT"):  # no slice of the volume
            continue
        planes.append(np.atleast_3d(apply_modality_lut(dataset.pixel_array, dataset)))
    return told_of(np.concatenate(planes, axis=2), ()) | {
        "spacing": None
    }  # along the stack the program has it of the positions


def _second_seg(path: Path) -> dict[str, Any]:
    import pydicom

    dataset = pydicom.dcmread(path)
    frames = dataset.pixel_array.reshape(-1, dataset.Rows, dataset.Columns)
    counts = {int(item.SegmentNumber): 0 for item in dataset.SegmentSequence}
    seen: set[tuple[int, str]] = set()
    for frame, group in zip(frames, dataset.PerFrameFunctionalGroupsSequence, strict=True):
        number = int(group.SegmentIdentificationSequence[0].ReferencedSegmentNumber)
        place = (number, str(group.PlanePositionSequence[0].ImagePositionPatient[2]))
        if place in seen:  # frames on one another are joined, and not counted twice
            raise ValueError("two frames of a segment on one slice")
        seen.add(place)
        counts[number] += int((frame > 0).sum())
    return {"sizes": sorted(counts.values())}


def _second_structure_set(path: Path) -> dict[str, Any]:
    """Voxels of each region by skimage's test of points, for contours on the series' own slices."""
    import pydicom
    from skimage.measure import points_in_poly

    dataset, (depth, rows, columns) = pydicom.dcmread(path), SHAPE
    described = {int(item.ROINumber) for item in dataset.StructureSetROISequence}
    centres = np.stack(np.meshgrid(np.arange(columns), np.arange(rows)), axis=-1).reshape(-1, 2)
    inside: dict[int, np.ndarray] = {}
    for region in dataset.ROIContourSequence:
        for contour in region.ContourSequence:
            points = (np.array(contour.ContourData, float).reshape(-1, 3) - ORIGIN) / SPACING
            z = round(points[0, 2])
            if np.abs(points[:, 2] - z).max() > 0.01 or not 0 <= z < depth:
                raise ValueError("not on a slice")
            near = [points_in_poly(centres + shift, points[:, :2]) for shift in (-1e-3, 0, 1e-3)]
            if (near[0] != near[2]).any():
                raise ValueError("a centre on a line")
            mask = inside.setdefault(int(region.ReferencedROINumber), np.zeros((depth, rows * columns), bool))
            mask[z] ^= near[1]
    return {"sizes": sorted(int(mask.sum()) for number, mask in inside.items() if number in described)}


def agree(kind: str, ours: dict[str, Any], other: dict[str, Any] | None) -> bool:
    """Whether two readers gave the same."""
    if other is None:
        return True
    if kind == "journal":  # what is not believed is made again
        return ours["layer"] in (None, other["layer"])
    if kind in ("SEG", "RTSTRUCT", "session", "weights", "checkpoint"):
        return all(ours.get(key) == other[key] for key in other)
    if ours["shape"] != other["shape"] and [each for each in ours["shape"] if each != 1] != [
        each for each in other["shape"] if each != 1
    ]:
        return False
    near = all(
        abs(ours[key] - other[key]) <= 1e-5 * max(abs(ours[key]), abs(other[key]), 1e-30)
        for key in ("low", "high", "sum")
    )
    if not near or other["spacing"] is None:
        return near
    pairs = zip(ours["spacing"], other["spacing"], strict=False)
    return all(abs(one - two) <= 1e-4 * max(one, two, 1e-6) for one, two in pairs)
