"""Records at rest into their stores: those that the run owns, and those that others use, too."""
