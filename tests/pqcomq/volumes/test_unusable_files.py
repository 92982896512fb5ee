"""Files that were slices: whatever became of them, the volume is whole, or says that they are lost."""

from __future__ import annotations

import zipfile

import pydicom
import pytest

from pqcomq.errors import InputError
from pqcomq.volumes.dicom.series import list_series
from pqcomq.volumes.volume_reader import read_volume


def top_slice(folder):
    """The file of the highest slice."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return max(files, key=lambda path: float(pydicom.dcmread(path).ImagePositionPatient[2]))


def told(folder) -> list[str]:
    return [note for note in read_volume(folder).notes if "look like slices" in note or "looks like a slice" in note]


@pytest.mark.parametrize("name", ["im{:03d}.dcm", "IM{}", "1.2.826.{}", "3f2a77c0e5{:02x}", "slice {} of 8.ima"])
@pytest.mark.parametrize("content", [b"", bytes(1000), b"<html>" * 40, b"x"], ids=["empty", "zeros", "page", "byte"])
def test_slices_that_lost_their_content_are_counted_and_named(make_series, name, content):
    folder = make_series(range(0, 16, 2))
    files = sorted(
        (p for p in folder.rglob("*") if p.is_file()), key=lambda p: pydicom.dcmread(p).ImagePositionPatient[2]
    )
    for number, file in enumerate(files):
        file = file.rename(file.with_name(name.format(number)))
        if number > 5:
            file.write_bytes(content)
    (folder / "deeper" / "README.txt").write_bytes(b"")
    (note,) = told(folder)
    assert note.startswith("2 files that look like slices are empty")
    assert name.format(6) in note
    assert name.format(7) in note
    assert "README" not in note
    assert len(read_volume(folder).voxels) == 6


def test_a_top_slice_cut_anywhere_is_never_lost_without_a_word(make_series):
    folder = make_series(range(0, 8, 2))
    top = top_slice(folder)
    whole = top.read_bytes()
    for length in range(0, len(whole), 11):
        top.write_bytes(whole[:length])
        try:
            volume = read_volume(folder)
        except InputError as error:
            assert top.name in str(error)
        else:
            assert len(volume.voxels) == 3
            assert top.name in "".join(told(folder)), length


def test_a_lost_slice_in_an_archive_is_told_as_well(make_series, tmp_path):
    folder = make_series(range(0, 16, 2))
    top = top_slice(folder)
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for file in sorted(p for p in folder.rglob("*") if p.is_file()):
            archive.writestr(f"study/{file.name}", b"" if file == top else file.read_bytes())
    assert top.name in told(tmp_path / "a.zip")[0]


def test_other_files_beside_slices_are_no_lost_slices(make_series):
    folder = make_series(range(0, 16, 2))
    for name in ("notes.txt", "Thumbs.db", ".DS_Store", "LICENSE", "report 1.pdf"):
        (folder / "deeper" / name).write_bytes(b"" if name == "LICENSE" else b"some text" * 50)
    assert told(folder) == []


def test_where_nothing_can_be_used_the_first_reason_is_told(make_series):
    folder = make_series([0, 2, 4])
    for file in sorted(p for p in folder.rglob("*") if p.is_file()):
        file.write_bytes(file.read_bytes().replace(rb"1.25\0.75", rb"1,25\0,75"))
    with pytest.raises(
        InputError, match=r"3 files cannot be used, the first of them: .* its PixelSpacing is '1,25\\0,75'"
    ):
        read_volume(folder)
    with pytest.raises(InputError, match="PixelSpacing"):
        list_series(folder)
