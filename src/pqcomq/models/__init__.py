"""The segmentation models: their architecture, their checkpoints, and their exact pre- and post-processing."""
