"""Plots of comparisons, drawn once for the window and for reports.

With matplotlib: the same function draws on a Qt canvas and into an SVG for a report made without a screen;
only its object-oriented part is used, never pyplot and its global state.
"""
