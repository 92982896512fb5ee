"""What is there again when dock, volume or program are opened anew: settings, comparisons, unfinished work."""
