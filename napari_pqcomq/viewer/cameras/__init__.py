"""Where the cameras look, on slices and in 3-D."""
