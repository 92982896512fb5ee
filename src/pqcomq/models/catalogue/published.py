"""Which model's published checkpoint a file is: models that are built alike are told apart by nothing else."""

from __future__ import annotations

from pathlib import Path

from pqcomq.errors import InputError
from pqcomq.models.catalogue.entries import ENTRIES, Entry


def published_as(path: Path) -> Entry | None:
    """The model whose published checkpoint a file is; None for any other file. Only one of equal size is read.

    Raises:
        InputError: it cannot be read.
    """
    from pqcomq.downloads.transfer import has_checksum  # with requests, which a window need not wait for

    size = path.stat().st_size if path.is_file() else 0
    alike = (each for each in ENTRIES.values() if size and each.checksum and each.size == size)
    return next((each for each in alike if has_checksum(path, each.checksum)), None)


def check_not_another(key: str, path: Path) -> Entry | None:
    """See that a checkpoint is not the one that another model's authors published.

    MedSAM ViT-B has SAM ViT-B's names and shapes, LiteMedSAM for scribbles has LiteMedSAM's: either file would load,
    and every mask would be of the wrong model.

    Args:
        key: of the model that it is to be loaded as.
        path: of the checkpoint.

    Returns:
        The model, where the file is its published checkpoint.

    Raises:
        InputError: it is another one's.
    """
    found = published_as(path)
    if found is not None and found.key != key:
        raise InputError(
            f"The file is the published checkpoint of {found.title}, not of {ENTRIES[key].title}; choose model "
            f"{found.key}",
            path,
        )
    return found
