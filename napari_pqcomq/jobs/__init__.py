"""Background work: its steps, which know no Qt, what runs them, and the models at hand."""
