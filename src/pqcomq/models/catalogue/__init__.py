"""Models by name: what each is, where its weights are published, and those that are at hand on this machine."""
