"""Finds what was deleted: a log, a feed, or a sweep, each with proof."""
