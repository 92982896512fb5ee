"""Volumes to try the tool on: one made by code, one packaged with pydicom, one downloaded."""
