"""Files from the web: fetched whole, checked, or not at all."""
