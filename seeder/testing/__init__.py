"""What test suites use: environments, databases and programs that outlive one test, each with its way back to its state."""
