"""Where a file lies while it comes. Imports nothing, so that a window can ask before it has anything else."""

from __future__ import annotations

from pathlib import Path


def part_of(target: Path) -> Path:
    """What has come of a file so far.

    Examples:
        >>> from pathlib import Path
        >>> from pqcomq.downloads.places import part_of
        >>> part_of(Path("medsam_vit_b.pth")).name
        'medsam_vit_b.pth.part'
    """
    return target.with_name(f"{target.name}.part")


def incoming_of(target: Path) -> Path:
    """The folder that a file is in while it is checked."""
    return target.with_name(f".{target.name}.incoming")
