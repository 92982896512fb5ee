"""Whether the quantized model will do: by a tolerance, by its own doubt, by a reader who knows no names."""
