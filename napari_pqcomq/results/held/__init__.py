"""The comparison that all panels read, and what was made of it since."""
