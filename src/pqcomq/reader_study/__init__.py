"""Blinded reading: a person prefers one of two masks without knowing which model made which."""
