"""The server side of AWS's RPC protocols, driven by botocore's service models."""
