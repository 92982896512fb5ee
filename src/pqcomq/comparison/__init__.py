"""Two models side by side: run, measured, drawn."""
