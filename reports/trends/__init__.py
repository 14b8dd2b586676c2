"""A metric over many nights: what trend panels draw."""
