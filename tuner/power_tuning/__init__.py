"""Compatibility with aws-lambda-power-tuning 4.4: its links, input files and output; no AWS."""
