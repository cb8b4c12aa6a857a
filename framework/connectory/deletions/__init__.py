"""Finds deleted objects and announces them, each with proof.

`search` is the part of a poll that looks for deletions. It reads a `log` or feed of the provider, or makes a `sweep`
over all ids; `lists` describes these lists as plans. `job` asks whether an object exists and announces deletions.
`alarm` stops a sweep that misses too many objects, and `check` tells beforehand whether deletions can be found.
"""
