"""What stands over and beside the pictures: plates, letters, crosshair, strip of slices, place of the mouse."""
