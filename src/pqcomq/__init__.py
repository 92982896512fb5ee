"""pqcomq: quantize MedSAM models with Permutation-COMQ and compare them with full precision, headless."""

__version__ = "0.2.0"
