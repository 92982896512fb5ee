"""Masks on their way to the user: corrected by hand, kept as layers, written to files."""
