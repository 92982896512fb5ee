"""Icons of the plugin, and pictures of the README; a package so that an editable install finds them."""
