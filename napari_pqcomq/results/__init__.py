"""What reads a finished comparison: its figures, whether the copy will do, and its masks."""
