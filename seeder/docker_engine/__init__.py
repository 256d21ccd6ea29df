"""The one place that talks to the Docker SDK."""
