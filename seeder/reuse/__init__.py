"""State that need not be made again: the chain of layers of every server, what of it is here, what is kept, and how it travels."""
