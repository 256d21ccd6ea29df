"""Where records come from: one loader per kind of file in a dataset folder."""
