"""Compiles poller entries into plans: what a poll asks for, and how its records are read."""
