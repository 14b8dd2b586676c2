"""`tune iam`: the least that an identity must be allowed to tune a function."""
