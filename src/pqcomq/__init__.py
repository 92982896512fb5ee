"""pqcomq: quantize MedSAM models with Permutation-COMQ and compare them with full precision, headless."""

from pqcomq.cpu_settings import keep_freed_memory, let_waiting_threads_sleep, use_huge_pages

__version__ = "0.1.0"

let_waiting_threads_sleep()
use_huge_pages()
KEEPS_FREED_MEMORY = keep_freed_memory()
"""Whether the allocator is set up for speed; told with every latency, since it halves or doubles it."""
