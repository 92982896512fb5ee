"""How work is done beside the window: in a thread, with a bar and Cancel, awaited, or let go of when it is done."""
