"""The objects that the user prompts, and nothing of how they are drawn."""
