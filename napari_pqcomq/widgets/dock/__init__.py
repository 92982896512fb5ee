"""What a dock is built of: steps, work in steps, questions, the picture over it, and parts that are imported late."""
