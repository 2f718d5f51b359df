"""Organisations, users and tokens: a built-in plugin, registered by the same hooks as any other."""
