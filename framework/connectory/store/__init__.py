"""The database: what must survive a kill at any moment.

`database` opens it, `tables` says what is in it, `migrations/` how it came about; each other file holds the queries of
one group of tables. Moments are integers, microseconds since the epoch in UTC. Functions take the connection they
run on, so that the caller decides what is one transaction.
"""
