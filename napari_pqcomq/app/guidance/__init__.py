"""What tells the user what can be done now: buttons, the hint line, keys, tooltips, a tour."""
