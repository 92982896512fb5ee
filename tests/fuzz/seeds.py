"""Whole files of every kind that is read, small, from which mutants are made."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import SimpleITK as sitk
import torch
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import (
    CTImageStorage,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)
from torch import nn

from pqcomq.dicom_masks.mask_object import MaskObject
from pqcomq.dicom_masks.rtstruct_writer import structure_set
from pqcomq.dicom_masks.seg_writer import segmentation
from pqcomq.quantization.files.module_file import save_module
from pqcomq.quantization.files.resume import Journal
from pqcomq.quantization.planning.mixed_precision import LayerPlan
from pqcomq.quantization.planning.presets import default_config
from pqcomq.quantization.quantize_module import quantize_module
from pqcomq.volumes.volume_reader import read_volume

SHAPE = (4, 6, 5)
SPACING, ORIGIN = (0.75, 1.25, 2.5), (-11.25, 37.5, -41.0)
"""Millimetres, x y z."""
IDENTITY = {"settings": {"bits": 4}}

CORPUS = Path(__file__).parent / "corpus"
"""A folder for each format with inputs that ``guided.py`` found, named by their hashes."""


def network() -> nn.Module:
    """That the weights file belongs to."""
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(12, 16), nn.ReLU(), nn.Linear(16, 8))


def voxels() -> np.ndarray:
    """Noise, (z, y, x)."""
    return np.random.default_rng(0).integers(-1000, 1500, SHAPE).astype(np.int16)


def image() -> sitk.Image:
    """The same with a place."""
    made = sitk.GetImageFromArray(voxels())
    made.SetSpacing(SPACING)
    made.SetOrigin(ORIGIN)
    return made


def ct_slice(z: int, syntax: str = ExplicitVRLittleEndian) -> Dataset:
    """One slice of a CT series."""
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = syntax
    values = {
        "SOPClassUID": CTImageStorage, "SOPInstanceUID": f"1.2.3.4.{z + 1}", "StudyInstanceUID": "1.2.3",
        "SeriesInstanceUID": "1.2.3.4", "FrameOfReferenceUID": "1.2.3.5", "Modality": "CT", "SeriesNumber": 4,
        "PatientName": "A^B", "PatientID": "1", "InstanceNumber": z + 1, "Rows": SHAPE[1], "Columns": SHAPE[2],
        "SamplesPerPixel": 1, "PhotometricInterpretation": "MONOCHROME2", "BitsAllocated": 16, "BitsStored": 16,
        "HighBit": 15, "PixelRepresentation": 1, "RescaleSlope": 1, "RescaleIntercept": 0, "PixelSpacing": [1.25, 0.75],
        "SliceThickness": 2.5, "ImageOrientationPatient": [1, 0, 0, 0, 1, 0],
        "ImagePositionPatient": [-11.25, 37.5, -41 + 2.5 * z], "PixelData": voxels()[z].tobytes(), "StudyDate": "",
        "StudyTime": "", "AccessionNumber": "", "StudyID": "", "PatientBirthDate": "", "PatientSex": "",
        "ReferringPhysicianName": "", "PositionReferenceIndicator": "",
    }  # fmt: skip
    for keyword, value in values.items():
        setattr(dataset, keyword, value)
    return dataset


def written(dataset: Dataset) -> bytes:
    """Its bytes."""
    stream = io.BytesIO()
    dataset.save_as(stream, enforce_file_format=True)
    return stream.getvalue()


def series(folder: Path) -> Path:
    """The CT series in a folder, which SEG and RTSTRUCT refer to."""
    folder.mkdir(parents=True, exist_ok=True)
    for z in range(SHAPE[0]):
        (folder / f"{z}.dcm").write_bytes(written(ct_slice(z)))
    return folder


def make_seeds(folder: Path) -> dict[str, list[tuple[str, bytes]]]:
    """Format → file names with contents."""
    folder.mkdir(parents=True, exist_ok=True)
    seeds: dict[str, list[tuple[str, bytes]]] = {}
    for name, endings in {"NIfTI": (".nii", ".nii.gz"), "NRRD": (".nrrd",), "MetaImage": (".mha",)}.items():
        seeds[name] = []
        for ending in endings:
            for kind in (sitk.sitkInt16, sitk.sitkFloat32):
                path = folder / f"v{ending}"
                sitk.WriteImage(sitk.Cast(image(), kind), str(path))
                seeds[name].append((path.name, path.read_bytes()))
    for name, ending in {"NRRD": ".nhdr", "MetaImage": ".mhd"}.items():
        path = folder / f"d{ending}"
        sitk.WriteImage(image(), str(path))
        seeds[name].append((path.name, path.read_bytes()))
    seeds["DICOM"] = [
        (f"{index}.dcm", written(ct_slice(0, syntax)))
        for index, syntax in enumerate((ExplicitVRLittleEndian, ImplicitVRLittleEndian, DeflatedExplicitVRLittleEndian))
    ]
    volume = read_volume(series(folder / "series"))
    mask = np.zeros(SHAPE, bool)
    mask[1:3, 1:4, 1:4] = True
    objects = [MaskObject("one", mask), MaskObject("two", np.roll(mask, 1, 2))]
    seeds["SEG"] = [("s.dcm", written(segmentation(objects, volume, keep_identity=False)))]
    seeds["RTSTRUCT"] = [("r.dcm", written(structure_set(objects, volume, keep_identity=False)))]
    seeds["zip"] = [("z.zip", _archive())]
    seeds["weights"] = list(_weights(folder))
    seeds["journal"] = list(_journal(folder / "journal"))
    seeds["checkpoint"] = list(_checkpoints(folder))
    seeds["session"] = [("session.json", json.dumps(session()).encode())]
    return seeds


def files_beside(kind: str, seeds: dict[str, list[tuple[str, bytes]]], folder: Path) -> dict[str, bytes]:
    """What belongs beside a format's files: voxels that a header leads to, the rest of a journal."""
    if kind == "journal":
        return dict(seeds[kind]) | {"made-by-pqcomq.txt": b""}
    if kind in ("NRRD", "MetaImage"):
        return {each.name: each.read_bytes() for each in folder.glob("d.*raw*")}
    return {}


def _archive() -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for z in range(2):
            archive.writestr(f"study/{z}.dcm", written(ct_slice(z)))
    return stream.getvalue()


def _weights(folder: Path) -> Iterator[tuple[str, bytes]]:
    for bits in (4, 8):
        path = folder / f"w{bits}.safetensors"
        inputs = [torch.randn(4, 12, generator=torch.Generator().manual_seed(1))]
        work = quantize_module(network(), inputs, default_config(None, bits))
        try:
            while True:
                next(work)
        except StopIteration as end:
            save_module(end.value, path)
        yield path.name, path.read_bytes()


def _journal(folder: Path) -> Iterator[tuple[str, bytes]]:
    from pqcomq.quantization.algorithm.quantize_layer import QuantizedLayer
    from pqcomq.quantization.algorithm.quantized_weight import QuantizedWeight

    codes = torch.arange(24, dtype=torch.uint8).reshape(3, 8) % 16
    weight = QuantizedWeight.of(codes, torch.ones(3, 2).half(), torch.ones(3, 2).half(), torch.arange(8), 4, 4, (3, 8))
    journal = Journal.open(folder, IDENTITY)
    journal.keep_plan({"a": LayerPlan(4, 32)})
    journal.keep_layer("a", QuantizedLayer(weight, 0.5, (0.0, 1.0)))
    for name in ("plan.json", "identity.json", "a.layer.safetensors"):
        yield name, (folder / name).read_bytes()


def _checkpoints(folder: Path) -> Iterator[tuple[str, bytes]]:
    state = network().state_dict()
    path = folder / "c.pth"
    torch.save(state, path)
    yield path.name, path.read_bytes()
    with zipfile.ZipFile(path) as archive:
        members = {each.filename: archive.read(each) for each in archive.infolist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as again:  # as somebody leaves it who unpacks and zips it
        for name, content in members.items():
            again.writestr(name, content)
    yield path.name, path.read_bytes()
    torch.save({"model": state, "epoch": 3}, path, _use_new_zipfile_serialization=False)
    yield path.name, path.read_bytes()


def session() -> dict[str, object]:
    """A session's manifest with one object and one comparison."""
    execution = {
        "runtime": "torch 2", "weights": "float32", "activations": "float32", "simulated": False, "threads": 1,
        "cpu_features": ["avx2"], "setting": "torch", "why": "",
    }  # fmt: skip
    latency = {"median_ms": 1.5, "p95_ms": 2.5, "passes": 2, "each_ms": [1.0, 2.0]}
    scores = {
        "dice": 0.9, "nsd": 0.8, "hd95_mm": 1.5, "volume_a_ml": 3.0, "volume_b_ml": 3.1,
        "volume_difference_percent": 3.3, "both_empty": False, "nsd_tolerance_mm": 2.0, "hd95_infinite": False,
    }  # fmt: skip
    side = {
        "model": "LiteMedSAM", "precision": "FP32", "volume_ml": 3.0, "encoder": latency, "decoder": latency,
        "speed": "real", "execution": execution, "peak_process_memory_bytes": 1, "working_memory_bytes": 1,
        "file_bytes": 1, "effective_bits": 32.0, "accuracy_against_ground_truth": None,
    }  # fmt: skip
    environment = {
        "runtime": "torch", "threads": 1, "cpu_capability": "AVX2", "keeps_freed_memory": False, "machine": "x86_64",
        "system": "Linux", "python": "3.11", "pqcomq": "0",
    }  # fmt: skip
    volume = {"name": "CT", "voxels_sha256": "0" * 64}
    found = {
        "volume": volume, "box_x0y0z0x1y1z1": [1.0, 1.0, 1, 4.0, 4.0, 2], "prompts": "propagate",
        "window": {"level": 40.0, "width": 400.0}, "reference": side, "candidate": side | {"precision": "4-bit"},
        "full_precision_encoder_in_torch": None, "encoder_speedups": [], "agreement_between_models": scores,
        "slices": [
            {"z": 1, "agreement": 0.9, "reference_accuracy": None, "candidate_accuracy": None},
            {
                "z": 2, "agreement": 0.8, "reference_accuracy": 0.5, "candidate_accuracy": 0.5,
                "candidate_stability": 0.7,
            },
        ],
        "first_parting_slice": None, "environment": environment,
    }  # fmt: skip
    jitter = {
        "shift_pixels": 5, "shift_mm": [1.0, 1.0], "seed": 0,
        "moved": [{"box": {"x0": 1, "y0": 1, "z0": 1, "x1": 4, "y1": 4, "z1": 2}, "dice": 0.9, "accuracy": None}],
    }  # fmt: skip
    row = {
        "trial": 1, "object": "a", "precision": "4-bit", "slice": 1, "choice": "left", "seconds": 1.0,
        "left_was": "quantized",
    }  # fmt: skip
    return {
        "format": 1, "program": "pqcomq", "made_utc": "2026-01-01T00:00:00", "volume": volume,
        "model": {"key": "lite-medsam", "checkpoint_name": "a", "checkpoint_sha256": "0" * 64, "licence": ""},
        "weights": ["weights/a.safetensors"],
        "gate": {"least_dice_between_models": 0.9, "greatest_volume_difference_percent": 5.0, "verdicts": []},
        "objects": [
            {
                "name": "a", "truth": None, "box_jitter": jitter,
                "comparisons": [{"reference_mask": "masks/a", "candidate_mask": "masks/b", "found": found}],
            }
        ],
        "reading": {"seed": 3, "rows": [row], "summary": ""},
    }  # fmt: skip


__all__ = ["IDENTITY", "make_seeds", "network", "series"]
