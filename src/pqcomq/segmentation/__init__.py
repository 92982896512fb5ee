"""Box prompts and the segmentation of slices and volumes."""
