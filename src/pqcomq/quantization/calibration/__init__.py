"""Calibration slices, and the passes of full precision and quantized model over them."""
