"""Whole models, quantized: calibrated on volumes, kept in one file, loaded again bit for bit."""
