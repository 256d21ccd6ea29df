"""A running environment: its services started, its clients held, its stores quiet."""
