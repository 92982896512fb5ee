"""What is measured of two masks and of the time that they took."""
