"""What the user prompts: boxes, objects, and the mouse tool that draws them."""
