"""The comparison as a whole: opened, arranged, changed and corrected."""
