"""Load profiles: the YAML file that says what to send where, how fast, and what must hold."""
