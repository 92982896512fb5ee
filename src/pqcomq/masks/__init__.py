"""Masks as files of any kind, in and out, each with the record of how it was made."""
