"""What another rate would mean: concurrency, cold starts, what to provision, the first limit."""
