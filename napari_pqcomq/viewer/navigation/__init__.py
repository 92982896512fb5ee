"""Where one looks: planes, slices, the mouse that leads through them."""
