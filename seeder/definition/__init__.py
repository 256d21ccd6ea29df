"""What should exist. Reads files and touches nothing else."""
