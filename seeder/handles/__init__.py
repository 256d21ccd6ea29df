"""What a test holds of a running environment: SQL, a stub, a cache, what a service has published."""
