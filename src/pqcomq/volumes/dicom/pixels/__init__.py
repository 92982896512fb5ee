"""From the bytes of a file to real numbers."""
