"""The parts of the dock: which there are, where they stand, and what each control is for."""
