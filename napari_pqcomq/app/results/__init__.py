"""What the results area asks for: figures of the object in sight, brush and eraser, blinded readings."""
