"""The napari plugin: quantize MedSAM models and compare them with full precision, side by side."""
