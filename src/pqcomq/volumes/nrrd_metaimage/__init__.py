"""NRRD and MetaImage files, read in Python."""
