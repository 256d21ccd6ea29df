"""What the five services share: settings, clock, database, authentication, HTTP between services, events."""
