"""What generators promise: the shapes of what they take and give, and when a change of one breaks a scenario."""
