"""A disk that fills up while a set of files is written: all older files stay, no new one is left."""

from __future__ import annotations

import pytest

from pqcomq.atomic_files import replacing, together
from pqcomq.errors import InputError

SIZE = 100_000


@pytest.fixture
def tiny_disk(tmp_path, mounted):
    """A disk of 512 KiB, where the system lets one be mounted."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if not mounted(folder, "size=512k"):
        pytest.skip("no disk can be mounted here")
    return folder


@pytest.fixture
def file_limit(tmp_path):
    """No file may be longer than 250 kB, which ends writing as a full disk does."""
    resource = pytest.importorskip("resource", reason="no file size limits on this system")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (250_000, before[1]))
    yield tmp_path
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


def write(base, sizes, byte, *, overwrite=False):
    with together(base):
        for number, size in enumerate(sizes):
            with replacing(base / "part" / f"{number}.bin", overwrite=overwrite) as partial:
                partial.write_bytes(byte * size)


def found(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes()[:1] for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("disk", ["tiny_disk", "file_limit"])
def test_nothing_is_left(disk, request):
    folder = request.getfixturevalue(disk)
    for base in (folder / "new", folder):
        with pytest.raises(InputError, match=r"no space left|file too large"):
            write(base, [SIZE, SIZE, 6 * SIZE], b"n")
        assert list(folder.iterdir()) == []


@pytest.mark.parametrize("disk", ["tiny_disk", "file_limit"])
def test_older_files_stay(disk, request):
    folder = request.getfixturevalue(disk)
    write(folder, [SIZE, SIZE], b"o")
    with pytest.raises(InputError, match=r"no space left|file too large"):
        write(folder, [SIZE, 6 * SIZE], b"n", overwrite=True)
    assert found(folder) == {"part/0.bin": b"o", "part/1.bin": b"o"}
    write(folder, [SIZE, SIZE], b"n", overwrite=True)
    assert found(folder) == {"part/0.bin": b"n", "part/1.bin": b"n"}
