"""What the picture shows: the volume, a comparison, live masks or a blinded reading, and the place looked at."""
