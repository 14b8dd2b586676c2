"""The server side of AWS's rest-json protocol, driven by botocore's service models."""
