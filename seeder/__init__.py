"""seeder gives every test run its own complete, correct world: from a compose file it starts an isolated stack, migrates every
store, loads data that is coherent across services, checks it, runs the command, and leaves nothing behind.

The flow, in nine words; `lifecycle.py` is the page that tells it:

    definition -> plan -> up -> migrate -> load -> gate -> fault -> snapshot -> teardown
"""

__version__ = "0.1.0"
