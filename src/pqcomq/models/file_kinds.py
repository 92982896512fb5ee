"""What a file is that is no checkpoint: told from its first bytes and its archive's table and checksums.

Nothing in it is run.
"""

from __future__ import annotations

import lzma
import re
import zipfile
import zlib
from pathlib import Path

from pqcomq.downloads.web_page import is_web_page

HEAD_BYTES = 4096
"""Of a file, that are looked at."""

_ARCHIVES = {
    (0, b"\x1f\x8b"): "a gzip archive",
    (0, b"BZh"): "a bzip2 archive",
    (0, b"\xfd7zXZ\x00"): "an xz archive",
    (0, b"7z\xbc\xaf\x27\x1c"): "a 7-Zip archive",
    (0, b"Rar!"): "a RAR archive",
    (257, b"ustar"): "a tar archive",
}
"""By the place of their mark, in bytes, and the mark."""

_OTHERS = {
    b"%PDF": "a PDF document",
    b"\x89PNG": "a PNG picture",
    b"\xff\xd8\xff": "a JPEG picture",
    b"\x89HDF": "an HDF5 file, such as Keras writes,",
    b"GGUF": "a GGUF file of a language model",
    b"\x08\x07\x12\x07pytorch": "an ONNX graph",
    b"\x93NUMPY": "a NumPy array",
}
_FOLDER = 0x10
"""MS-DOS's mark of a folder, in what a zip archive says of a member."""

_MOST_SWELLING, _ANY_SIZE = 64, 2**26
"""How many times as much an archive may unpack to, beyond so many bytes."""

_LFS = re.compile(rb"\Aversion https://git-lfs\.github\.com/spec/.*?^size (\d+)\r?$", re.DOTALL | re.MULTILINE)


def first_bytes(path: Path) -> bytes:
    """The beginning of a file."""
    with path.open("rb") as stream:
        return stream.read(HEAD_BYTES)


def pointer_size(head: bytes) -> int | None:
    """Bytes of the file that a Git LFS pointer stands for; None for anything else."""
    found = _LFS.match(head)
    return int(found[1]) if found else None


def is_safetensors(path: Path) -> bool:
    """Whether a file begins as safetensors do: the length of a header, and the header in braces."""
    head = first_bytes(path)
    return len(head) > 9 and head[8:9] == b"{" and int.from_bytes(head[:8], "little") < 100_000_000


def not_a_checkpoint(path: Path) -> str | None:
    """What a file is instead of a PyTorch checkpoint, as the end of a sentence; None if it may be one.

    Args:
        path: an existing file.

    Returns:
        For example ``"is empty"``; what to do about it where there is something to do.
    """
    head = first_bytes(path)
    if not head:
        return "is empty"
    if is_web_page(head):
        return "is a web page (HTML), not a checkpoint; its link leads to a page from which the file itself is fetched"
    size = pointer_size(head)
    if size is not None:
        return f"is a Git LFS pointer to a file of {size / 1e6:.1f} MB, not the file; 'git lfs pull' fetches it"
    for (place, mark), title in _ARCHIVES.items():
        if head.startswith(mark, place):
            return f"is {title}, not a checkpoint; unpack it and give the checkpoint in it"
    for start, title in _OTHERS.items():
        if head.startswith(start):
            return f"is {title}, not a PyTorch checkpoint"
    if head.startswith(b"PK\x03\x04"):
        return _of_zip(path)
    if len(head) < HEAD_BYTES and _is_text(head):
        return "is a text file, not a checkpoint"
    return None


def _is_text(head: bytes) -> bool:
    try:
        return head.decode("utf-8").replace("\t", "").replace("\r", "").replace("\n", "").isprintable()
    except UnicodeDecodeError:
        return False


def _of_zip(path: Path) -> str | None:
    """Checkpoints are zip archives with a ``data.pkl``; a table of contents at the very end says what is in them."""
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        return "is cut off or damaged: its end, where its table of contents should be, is missing; fetch it again"
    names = [each.filename for each in members]
    inside = {name.partition("/")[2] or name for name in names}
    if "constants.pkl" in inside and "data.pkl" in inside:
        return "is a TorchScript program, not a checkpoint of tensors; save its state dict in its place"
    if "data.pkl" not in inside:
        found = [name for name in names if name.endswith((".pth", ".pt", ".safetensors"))]
        example = f" ({found[0]})" if found else ""
        return f"is a zip archive, not a checkpoint; unpack it and give the checkpoint in it{example}"
    if _is_swollen(members):
        return "unpacks to far more than it holds, as no checkpoint does, and was not loaded"
    if any(map(_is_passed_over, members)) or _is_changed(path):
        return "is damaged: what is in it is not what was written, by its own checksums; fetch it again"
    return None


def _is_changed(path: Path) -> bool:
    """Whether a member's bytes are not those of its checksum, which PyTorch does not look at when it loads.

    Whoever packs an archive anew may compress it; PyTorch reads that too. Programs may write archives without checksums
    (``torch.serialization.set_crc32_options``), as 0.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            for each in archive.infolist():
                if each.CRC:
                    with archive.open(each) as member:
                        while member.read(1 << 20):
                            pass
    except (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, RuntimeError, ValueError):
        return True
    return False


def _is_swollen(members: list[zipfile.ZipInfo]) -> bool:
    """Whether unpacking could take all memory: weights hardly compress, but for those that are still zero."""
    packed = sum(each.compress_size for each in members)
    return sum(each.file_size for each in members) > _MOST_SWELLING * packed + _ANY_SIZE


def _is_passed_over(member: zipfile.ZipInfo) -> bool:
    """Whether PyTorch would read nothing of a member that holds something, and take what memory held before for it.

    So it does where the archive's table calls the member a folder, or says that it takes no bytes.
    """
    is_folder = member.filename.endswith("/") or bool(member.external_attr & _FOLDER)  # is_dir() fails on no name
    return member.file_size > 0 and (is_folder or member.compress_size == 0)
