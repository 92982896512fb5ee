"""The kind of file that masks are written to."""

from __future__ import annotations

from typing import Any

from napari_pqcomq.forms.greyed_choices import GreyedChoices
from pqcomq.masks.file_formats import MaskKind

_TITLES = {
    MaskKind.nifti: "NIfTI",
    MaskKind.nrrd: "NRRD",
    MaskKind.metaimage: "MetaImage",
    MaskKind.segmentation: "DICOM SEG",
    MaskKind.structure_set: "DICOM RTSTRUCT",
}


class MaskKindEdit(GreyedChoices):
    """Kinds of files; DICOM only where there are DICOM images to refer to."""

    value: MaskKind

    def __init__(self, **options: Any) -> None:  # noqa: ANN401 (magicgui's)
        super().__init__(choices=[(title, kind) for kind, title in _TITLES.items()], **options)

    def get_value(self) -> MaskKind:
        """The chosen one; Qt keeps plain text."""
        return MaskKind(super().get_value())

    def offer_dicom(self, obstacle: str) -> None:
        """Let DICOM be chosen, or grey it out with the reason; NIfTI then takes its place.

        Args:
            obstacle: why it cannot be written, as a sentence; empty where it can.
        """
        for kind in _TITLES:
            if kind.is_dicom:
                self.offer(kind, not obstacle)
                self.explain(kind, obstacle)
        if self.value.is_dicom and obstacle:
            self.value = MaskKind.nifti
