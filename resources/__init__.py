"""Icons and pictures; a package so that an editable install finds them."""
