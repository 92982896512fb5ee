"""pqcomq: quantize MedSAM models with Permutation-COMQ and compare them with full precision, headless."""

import os

__version__ = "0.1.0"

# Read by OpenMP when torch is first imported, which this package does after this line. Threads that spin while they wait
# for each other take the core from the one they wait for as soon as anything else runs, a window being drawn for one:
# encoding a slice was then up to three times slower. A user's own setting stands.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
