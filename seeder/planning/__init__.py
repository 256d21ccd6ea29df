"""What the plan looks at: histories, snapshots, shared systems, and whether all that is asked for can be had. Nothing is started."""
