"""The ways of viewing a comparison: side by side, curtain, difference, flicker."""
