"""Migration tools that a program or a one-shot service runs: each lists its revisions from files alone, and finds in the store which of
them were applied."""
