"""Compiles poller entries into plans: what a poll asks the provider for, and how it reads the records.

`entries` finds the entries of an instance, `compiling` makes a plan of each, `rows` decodes pages, and `plan` holds the
result.
"""
