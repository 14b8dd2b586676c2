"""What the services of the sandbox tell of their work: metrics and log events."""
