"""Quantized weights in files: written, checked before they are believed, and read; what a stopped run leaves."""
