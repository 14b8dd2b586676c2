"""What changed between two tunings, and whether it can be told from noise."""
