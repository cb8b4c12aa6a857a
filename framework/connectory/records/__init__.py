"""Turns a page of a provider's list into announced events.

`fetch` reads the pages of a window, in `smallerpages` where the provider needs that, and `identify` finds the id and
the version of each record; `raws` cuts the bytes of each record out of the page. `known` looks up what the store knows
of each object. `classifier` decides what a record means (`changes` defines the meanings), with the dates that `stamps`
reads and the window that `window` computes. `fieldchanges` compares a record with its last version. `outbox` writes the
events and the notifications, whose bodies `envelope` builds. `summary` counts what happened.
"""
