"""What the window keeps on disk unasked: unfinished work by volume, and quantized weights by what they were made of."""
