"""A cohort's results to read: tables as files, and one page that stands by itself."""
