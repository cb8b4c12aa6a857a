"""ServiceNow for Connectory.

1. `plugin` implements the hooks; `element` and `resources` hold the data that it returns.
2. `configuration` checks an instance's keys, `address` finds the instance, `auth` logs in.
3. `query` makes encoded queries of CEQL (`conditions`) and of encoded queries that users wrote (`encoded`).
4. `paging` reads a list that changes, `stamps` reads dates, `verdicts` judges answers.
5. `sandbox` is a fake ServiceNow with people who work in it.
"""
