"""A local AWS on 127.0.0.1, for trying the toolkit without an account and for its own tests."""
