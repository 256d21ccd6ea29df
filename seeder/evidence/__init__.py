"""What is told and kept of a run: its story, the bundle of a failed one, digests, and never a secret."""
