"""Which model the user has chosen, and the models at hand: fetched, loaded, quantized, compiled; without Qt."""
