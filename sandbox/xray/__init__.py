"""X-Ray: traces of sampled requests, as API Gateway and Lambda record them."""
