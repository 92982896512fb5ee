"""NIfTI-1 and NIfTI-2 files, read strictly.

SimpleITK knows no NIfTI-2, reads a file that was cut off without a word and fills the rest with zeros, turns NaN and
infinity into 0, takes voxel sizes that are NaN for 1 mm, and lays out the sform differently from other readers where
the header contradicts itself; so header and voxels are read here.
"""
