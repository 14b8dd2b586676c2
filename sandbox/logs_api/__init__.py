"""CloudWatch Logs: the API, filter patterns, and Logs Insights queries."""
