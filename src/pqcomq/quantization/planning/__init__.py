"""Which layer gets how many bits, what that costs, and what is chosen where the user chooses nothing."""
