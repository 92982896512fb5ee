"""Volumes in and masks out: NIfTI and DICOM, geometry, intensity windows."""
