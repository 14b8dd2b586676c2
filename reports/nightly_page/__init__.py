"""The page of a night, made from its document alone."""
