"""Qt pieces that know nothing of this project."""
