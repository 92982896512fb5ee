"""Quantized models for other programs: image encoder and mask decoder as files of common formats."""
