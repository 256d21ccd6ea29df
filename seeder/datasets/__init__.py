"""Datasets as a whole: published, compared, and looked through for what leads nowhere."""
