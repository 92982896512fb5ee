"""The parts of the dock, what they tell each other, and where they stand."""
