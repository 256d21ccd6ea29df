"""What goes wrong on the links of an environment, and the proxy that does it."""
