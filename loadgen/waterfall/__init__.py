"""Where the time of requests goes: client, network, gateway, function; and cold starts."""
