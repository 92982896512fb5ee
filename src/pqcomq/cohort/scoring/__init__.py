"""One case: every model prompted with its labels' boxes, and what they find scored."""
