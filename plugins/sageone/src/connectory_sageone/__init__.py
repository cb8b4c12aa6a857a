"""Sage One (Sage Business Cloud Accounting) for Connectory.

`plugin` answers the hooks; it is the table of contents.
"""
