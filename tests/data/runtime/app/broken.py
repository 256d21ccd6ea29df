"""A service that gives up."""

import sys

sys.stdout.write("the settings are missing\n")
sys.stdout.flush()
sys.exit("cannot go on")
