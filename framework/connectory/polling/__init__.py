"""Runs polls: when they are due, and what each of them does.

`scheduler` claims due polls and hands them to the threads of `executor`; `leases` keeps the claims. `poller` runs one
claimed poll, `covering` reads its window, `reading` finds out what is new, `pages` commits each page, and `endings`
holds the states in which a claim ends. `failures` says whose mistake ended a poll. `cursor` and `backfill` are the
tools for people.
"""
