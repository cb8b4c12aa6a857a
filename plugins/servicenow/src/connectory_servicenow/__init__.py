"""ServiceNow for Connectory.

1. `plugin` answers the hooks; `element` and `resources` are the facts it answers with.
2. `configuration` checks an instance's keys, `address` finds the instance, `auth` logs in.
3. `query` writes encoded queries out of CEQL (`conditions`) and out of what users wrote (`encoded`).
4. `paging` walks a list that changes, `stamps` reads dates, `verdicts` says what an answer means.
5. `sandbox` is a fake ServiceNow, and the people who work in it.
"""
