"""Prompts as they are marked on the user's own view: boxes, points, scribbles."""
