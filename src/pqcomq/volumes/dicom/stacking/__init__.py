"""From planes to regular volumes, and the remedies where they are none."""
