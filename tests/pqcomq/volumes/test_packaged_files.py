"""Every file that pydicom and nibabel ship: each opens or is refused with a sentence that names it; none crashes.

``python tests/pqcomq/volumes/test_packaged_files.py`` prints what becomes of each kind as a table.
"""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import nibabel
import pydicom
import pytest

from pqcomq.errors import InputError
from pqcomq.volumes.volume_reader import read_volume

ROOTS = [Path(pydicom.__file__).parent / "data", Path(nibabel.__file__).parent]
NOT_DATA = {".py", ".pyc", ".pyi", ".rst", ".m", ".gitignore", ".sh"}


def packaged() -> list[Path]:
    """All data files of both packages; nothing is fetched from the network."""
    files = (path for root in ROOTS for path in sorted(root.rglob("*")) if path.is_file())
    return [path for path in files if path.suffix not in NOT_DATA and path.name != ".gitignore"]


def outcome(path: Path) -> str:
    """``"opened"``, or the sentence without the path."""
    try:
        volume = read_volume(path)
    except InputError as error:
        sentence = str(error)
        assert "\n" not in sentence
        assert path.name in sentence
        assert sentence.endswith(".")
        return sentence.replace(str(path), "…")
    assert volume.grid.orientation == "LPS"
    assert volume.voxels.shape == volume.grid.shape_zyx
    return "opened"


@pytest.mark.parametrize("path", packaged(), ids=lambda path: path.name)
def test_every_packaged_file_opens_or_is_refused_in_one_sentence(path, capfd):
    outcome(path)
    assert capfd.readouterr().out == ""


def test_there_are_files_to_look_at_and_many_open():
    results = Counter(outcome(path) == "opened" for path in packaged() if path.suffix in (".dcm", ".nii", ".gz"))
    assert results[True] >= 30


def _kind(path: Path) -> str:
    if path.suffix.lower() in (".dcm", "") or "pydicom" in str(path):
        try:
            dataset = pydicom.dcmread(path, stop_before_pixels=True)
            syntax = dataset.file_meta.get("TransferSyntaxUID")
            return f"DICOM {dataset.get('Modality', '?')}, {syntax.name if syntax else 'no syntax stated'}"
        except Exception:
            return "no or damaged DICOM"
    return re.sub(r"^.*?((\.[A-Za-z]+)?\.[A-Za-z0-9]+)$", r"\1", path.name)


if __name__ == "__main__":
    import logging
    import warnings

    logging.disable()
    warnings.simplefilter("ignore")
    table = Counter((_kind(path), re.sub(r"\d+(\.\d+)?( x \d+)*", "N", outcome(path))) for path in packaged())
    for (kind, result), count in sorted(table.items()):
        print(f"| {kind} | {count} | {result} |")  # noqa: T201
