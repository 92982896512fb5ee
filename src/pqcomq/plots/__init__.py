"""Plots of comparisons, drawn once for the window and for reports.

With matplotlib: one drawing serves a Qt canvas that is clicked, and an SVG in a report that is made without a screen;
only its object-oriented part is used, never pyplot and its global state.
"""
