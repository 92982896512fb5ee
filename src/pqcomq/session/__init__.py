"""Sessions: what was compared, kept in one folder, told in one page, opened again and run again."""
