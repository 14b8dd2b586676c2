"""S3: buckets and objects, as far as files of payloads and histories of nights need them."""
