"""CloudWatch's metrics API over the sandbox's metrics."""
