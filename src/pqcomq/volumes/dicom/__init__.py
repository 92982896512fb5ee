"""DICOM series: found, listed, chosen by the user, read as one volume.

The way of the data: sources (which files) → headers (one a plane) → scan (by patient, study, series) → parts (planes
that lie alike) → stack (one regular grid, or the remedy for none) → pixels → Volume.
"""
