"""When an environment is fit for the test: one check per file."""
