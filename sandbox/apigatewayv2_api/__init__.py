"""The control plane of HTTP APIs: botocore's service "apigatewayv2", as far as HTTP APIs go."""
