"""Label maps: read, laid on a volume, written."""
