"""Blinded reading: a reader prefers one of two masks without knowing which model made which."""
