"""Several functions in one command: which they are, their shares of the limits, one summary."""
