"""The commands of `reports`, one a module: options in, one call, an exit code out."""
