"""The upper half of the dock: volume, model, weights, calibration, ground truth."""
