"""The patient's series of the DICOM objects' tests."""

from ..dicom_masks.conftest import axial, enhanced, image_in_memory, make_series, volume

__all__ = ["axial", "enhanced", "image_in_memory", "make_series", "volume"]
