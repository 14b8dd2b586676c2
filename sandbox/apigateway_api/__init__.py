"""The control plane of REST APIs, as the service "apigateway" (v1) has it."""
