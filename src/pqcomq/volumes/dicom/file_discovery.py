"""Where DICOM files are: in a folder and its subfolders, in the list of a DICOMDIR, in a zip archive, or by itself.

Members of an archive are read in memory and never unpacked to the disk, where patient data would be left behind.
"""

from __future__ import annotations

import os
import threading
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from io import BytesIO
from lzma import LZMAError
from pathlib import Path, PureWindowsPath
from typing import BinaryIO, Self, cast

import pydicom

from pqcomq.atomic_files import why
from pqcomq.errors import InputError
from pqcomq.volumes.deflation import MOST_DEFLATION
from pqcomq.volumes.dicom.deflated import MOST_HEADER_BYTES, plain_stream
from pqcomq.volumes.dicom.pydicom_warnings import with_pydicom_errors

PREAMBLE_BYTES = 132
MOST_FILES = 50_000
"""Files looked at in one folder: more is a whole archive or a disk chosen by mistake."""
MOST_MEMBER_BYTES = 2 << 30
"""Largest file in a zip archive that is unpacked in memory."""
MOST_UNPACKED_BYTES = 256 << 20
"""Of all members that are unpacked in memory at a time; a single larger one is unpacked alone."""


@dataclass(frozen=True)
class DicomFile:
    """A file on the disk, or a member of a zip archive.

    Attributes:
        path: of the file or of the archive.
        member: name in the archive; empty for files on the disk.
    """

    path: Path
    member: str = ""

    def __str__(self) -> str:
        return f"{self.path}/{self.member}" if self.member else str(self.path)

    @property
    def name(self) -> str:
        """The last part of its name."""
        return (self.member or self.path.name).rsplit("/", 1)[-1]


class MemoryBudget:
    """Bytes that threads may take together; who comes when they are taken waits until some are given back.

    Args:
        size: in bytes; who wants more than all of them gets all, alone.
    """

    def __init__(self, size: int) -> None:
        self._size = self._left = size
        self._changed = threading.Condition()

    def take(self, count: int) -> Callable[[], None]:
        """Wait for bytes; call what is given back once, when they are no longer needed."""
        taken = min(count, self._size)
        with self._changed:
            self._changed.wait_for(lambda: self._left >= taken)
            self._left -= taken
        done = False

        def give_back() -> None:
            nonlocal done
            with self._changed:
                self._left += 0 if done else taken
                done = True
                self._changed.notify_all()

        return give_back


class _Unpacked(BytesIO):
    """A member of an archive in memory, which gives its room back when it is closed."""

    def __init__(self, content: bytes, room: Callable[[], None]) -> None:
        super().__init__(content)
        self._room = room

    def close(self) -> None:
        self._room()
        super().close()


class Opener:
    """Opens files for reading, and each archive once; use it in a ``with`` block, from any number of threads."""

    def __init__(self) -> None:
        self._archives: dict[Path, zipfile.ZipFile] = {}
        self._lock, self._stack = threading.Lock(), ExitStack()
        self._unpacked = MemoryBudget(MOST_UNPACKED_BYTES)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.close()

    def stream(self, file: DicomFile) -> BinaryIO:
        """The file opened for reading; a member of an archive as a stream that is slow to go back in.

        Raises:
            InputError: it cannot be opened.
        """
        try:
            if not file.member:
                return file.path.open("rb")
            return cast(BinaryIO, self._archive(file.path).open(file.member))
        except OSError as error:
            raise InputError(f"The file cannot be read: {why(error)}.", file) from error
        except _ZIP_ERRORS as error:
            raise _zip_refusal(file, error) from error

    def head(self, file: DicomFile, count: int) -> tuple[bytes, bool]:
        """The first ``count`` bytes, and whether that is the whole file.

        Raises:
            InputError: it cannot be read.
        """
        with self.stream(file) as stream:
            content = _read(stream, file, count + 1)
        return content[:count], len(content) <= count

    def is_empty(self, file: DicomFile) -> bool:
        """Whether it has no bytes.

        Raises:
            InputError: it is in an archive that cannot be read.
        """
        if not file.member:
            return file.path.is_file() and file.path.stat().st_size == 0
        return not self.head(file, 1)[0]

    def seekable(self, file: DicomFile, most: int | None = None) -> BinaryIO:
        """The file opened for reading to and fro.

        Args:
            file: on the disk, or a member of an archive; close what is given back, for only so many bytes of members
                are unpacked at a time.
            most: of a member, bytes to unpack at the most, what lies behind being left out; None for all of it.

        Raises:
            InputError: it cannot be opened, or is a member of an archive that is too large or damaged.
        """
        stream = self.stream(file)
        if not file.member:
            return stream
        with stream:
            size = self._size(file)
            if most is None and size > MOST_MEMBER_BYTES:
                raise InputError("The file is too large to be read from an archive; unpack it first.", file)
            count = size if most is None else min(size, most)
            room = self._unpacked.take(count)
            try:
                return _Unpacked(_read(stream, file, count), room)
            except BaseException:
                room()
                raise

    def _size(self, file: DicomFile) -> int:
        """Bytes of a member that its archive states.

        Raises:
            InputError: they are more than its compressed bytes can stand for.
        """
        info = self._archive(file.path).getinfo(file.member)
        if info.file_size > max(info.compress_size, 1) * MOST_DEFLATION:
            raise InputError("The file is damaged in its zip archive: it states more bytes than it can hold.", file)
        return info.file_size

    def _archive(self, path: Path) -> zipfile.ZipFile:
        with self._lock:
            if path not in self._archives:
                self._archives[path] = self._stack.enter_context(zipfile.ZipFile(path))
            return self._archives[path]


_ZIP_ERRORS = (
    zipfile.BadZipFile,
    zlib.error,
    LZMAError,
    RuntimeError,
    NotImplementedError,
    EOFError,
    KeyError,
    ValueError,
)


def _read(stream: BinaryIO, file: DicomFile, count: int) -> bytes:
    try:
        return stream.read(count)
    except OSError as error:
        raise InputError(f"The file cannot be read: {why(error)}.", file) from error
    except _ZIP_ERRORS as error:
        raise _zip_refusal(file, error) from error


def _zip_refusal(file: DicomFile, error: Exception) -> InputError:
    if "password" in str(error) or "encrypted" in str(error):
        return InputError("The file is protected by a password; unpack it first.", file.path)
    if isinstance(error, NotImplementedError):
        return InputError("The file is compressed in a way that cannot be read; unpack it first.", file.path)
    return InputError("The file is damaged in its zip archive.", file)


def dicom_files(path: Path) -> list[DicomFile]:
    """The files that a folder, a DICOMDIR, a zip archive or a single file stands for; not yet looked into.

    Raises:
        InputError: there are more than ``MOST_FILES``, or the archive or DICOMDIR is damaged.
    """
    if path.is_dir():
        files = _below(path)
    elif zipfile.is_zipfile(path) and not looks_like_dicom(path):
        files = _members(path)
    elif is_dicomdir(path):
        files = _listed(path)
    else:
        files = iter([DicomFile(path)])
    found = []
    for file in files:
        found.append(file)
        if len(found) > MOST_FILES:
            raise InputError(f"There are more than {MOST_FILES} files; choose the folder of one study.", path)
    return found


def _below(folder: Path) -> Iterator[DicomFile]:
    # os.walk does not follow links to folders, so a ring of links ends.
    for parent, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            yield DicomFile(Path(parent, name))


def _members(path: Path) -> Iterator[DicomFile]:
    try:
        with zipfile.ZipFile(path) as archive:
            infos = archive.infolist()
    except (OSError, *_ZIP_ERRORS) as error:
        raise InputError("The file is a damaged zip archive.", path) from error
    # macOS adds a shadow of every file; it begins like none of ours but doubles the list.
    for info in sorted(infos, key=lambda info: info.filename):
        if info.filename and not info.is_dir() and not info.filename.startswith("__MACOSX/"):
            yield DicomFile(path, info.filename)


def holds_dicom(path: Path) -> bool:
    """Whether a regular file is DICOM, or an archive that may hold some."""
    return looks_like_dicom(path) or zipfile.is_zipfile(path)


def is_dicomdir(path: Path) -> bool:
    """Whether a file is the directory of a DICOM medium, by name or by class."""
    if not looks_like_dicom(path):
        return False
    if path.name.upper() == "DICOMDIR":
        return True
    with with_pydicom_errors(path):
        return bool(
            pydicom.filereader.read_file_meta_info(path).get("MediaStorageSOPClassUID")
            == pydicom.uid.MediaStorageDirectoryStorage
        )


def _listed(path: Path) -> Iterator[DicomFile]:
    """The files that a DICOMDIR lists; those that are missing, or lie outside its folder, are passed over."""
    with with_pydicom_errors(path):
        with path.open("rb") as stream:
            dataset = pydicom.dcmread(plain_stream(stream, MOST_HEADER_BYTES), force=True)
        records = dataset.get("DirectoryRecordSequence") or []
        names = [record.get("ReferencedFileID") for record in records]
    root = path.parent
    found = 0
    for name in names:
        pieces = [name] if isinstance(name, str) else list(name or [])
        if not pieces or any(piece in ("..", "") or PureWindowsPath(piece).anchor for piece in pieces):
            continue
        if (file := _any_case(root, pieces)) is not None:
            found += 1
            yield DicomFile(file)
    if not found:
        raise InputError("None of the files that are listed is there.", path)


def _any_case(root: Path, pieces: list[str]) -> Path | None:
    """``root/pieces…``, also where the medium was copied in small letters."""
    for spelling in (pieces, [piece.lower() for piece in pieces]):
        if (path := root.joinpath(*spelling)).is_file():
            return path
    return None


def looks_like_dicom(path: Path) -> bool:
    """Whether a regular file begins as DICOM does, with or without the preamble.

    Raises:
        OSError: it cannot be opened.
    """
    # A pipe would block, and the size also passes over the bottomless files of /proc.
    if not path.is_file() or path.stat().st_size <= PREAMBLE_BYTES:
        return False
    with path.open("rb") as file:
        return begins_like_dicom(file.read(PREAMBLE_BYTES))


def begins_like_dicom(head: bytes) -> bool:
    """The same of a file's first bytes."""
    # Without a preamble the first tag's group is 0002 or 0008, in either byte order.
    return len(head) >= PREAMBLE_BYTES and (
        head[128:132] == b"DICM" or head[:2] in (b"\x02\x00", b"\x08\x00", b"\x00\x08")
    )
