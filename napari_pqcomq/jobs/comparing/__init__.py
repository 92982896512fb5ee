"""Work on the open volume, in steps: compare, cascade, sessions, and what is kept of it; without Qt."""
