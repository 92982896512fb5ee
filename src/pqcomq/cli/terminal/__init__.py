"""What the commands share: options and what they turn into, output, progress, interruptions."""
