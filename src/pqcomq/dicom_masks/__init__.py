"""Masks as DICOM objects, out and in: segmentations (SEG) and structure sets (RTSTRUCT) of a series."""
