"""Who may call an API: signatures, tokens, Lambda authorizers, resource policies."""
