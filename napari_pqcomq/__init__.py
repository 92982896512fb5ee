"""The napari plugin: quantize MedSAM models and compare them with full precision, side by side."""

from pqcomq.cpu_settings import apply_if_asked_for

apply_if_asked_for()
