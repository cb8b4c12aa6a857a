"""Looks into polls and instances. Nothing is announced, and no cursor is moved.

1. `explain` says what the next poll would do, and why; `rehearsal` counts what a backfill would announce.
2. `recorder` records polls to a file (recording), without secrets (scrubbing). `replay` explains them from the file.
3. `doctor` checks whether an instance works.
"""
