"""Reading and writing masks as files of any kind, each with the record of how it was made."""
