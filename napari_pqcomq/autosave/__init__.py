"""Unfinished work on disk: recorded while it is done, offered when it was interrupted, deleted when asked."""
