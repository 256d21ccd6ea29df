"""Where layers are kept: folders of this machine, images of a Docker engine."""
