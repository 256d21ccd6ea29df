"""Makes the files below testdata/: `python -m golden` from stacks/shop. The same files each time, from these modules alone."""
