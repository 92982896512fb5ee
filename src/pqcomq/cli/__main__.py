"""``python -m pqcomq.cli``, the same as ``pqcomq``."""

from pqcomq.cli.app import main

main()
