"""A real abdominal CT: downloaded once, checked, kept in the user's cache."""

from __future__ import annotations

from pathlib import Path

import pooch
import SimpleITK as sitk

from pqcomq.downloads.transfer import ProgressBar, download
from pqcomq.errors import InputError
from pqcomq.volumes.import_issues import ImportIssue
from pqcomq.volumes.volume import Volume
from pqcomq.volumes.voxel_types import compact_image

SHA256 = "e16eae0ae6fefa858c5c11e58f0f1bb81834d81b7102e021571056324ef6f37e"
URL = f"https://github.com/Slicer/SlicerTestingData/releases/download/SHA256/{SHA256}"
"""3D Slicer's sample "CTLiver"; its address is its checksum, as published in Slicer's SampleData module."""
FILE = "CTLiver.nrrd"
ATTRIBUTION = "Medical Segmentation Decathlon, Task03_Liver, liver_100 (CC BY-SA 4.0), as distributed by 3D Slicer."


def real_ct(progress: ProgressBar | None = None, cache: Path | None = None) -> Volume:
    """A portal venous CT of chest and abdomen with liver tumours, about 290 MB to download, 512 × 512 × 685 voxels.

    Args:
        progress: a bar such as tqdm's or napari's; its ``total`` is set and ``update`` called, in bytes.
        cache: folder that keeps the file; by default the platform's cache folder for napari-pqcomq.

    Returns:
        The volume; its note says where it comes from.

    Raises:
        InputError: the file could not be downloaded, is not the expected one, or cannot be read.
    """
    path = download(URL, SHA256, cache or Path(pooch.os_cache("napari-pqcomq")), FILE, progress)
    try:
        image = sitk.ReadImage(str(path))
    except RuntimeError as error:
        raise InputError("The file could not be read as NRRD.", path) from error
    except MemoryError as error:
        raise InputError("The file is too large for this computer's memory.", path) from error
    return Volume.of(
        compact_image(image, path), "CT", "Abdominal CT (liver_100)", path, (ImportIssue("attribution", ATTRIBUTION),)
    )
