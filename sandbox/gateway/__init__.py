"""The data plane of API Gateway: what a client of an API meets."""
