"""How far work has come, in numbers and words; nothing here knows Qt."""
