"""Background work: its steps, what was chosen, kept models, and the results it hands on."""
