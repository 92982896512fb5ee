"""The order of the work: what the panels ask for becomes jobs in the background, and what these return is shown."""
