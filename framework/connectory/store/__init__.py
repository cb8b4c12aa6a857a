"""The database: everything that must survive when a process is killed.

`database` opens it, `tables` lists what is in it, `migrations/` brings an older one up to date, and `dialect` has the
SQL that differs between SQLite and PostgreSQL. `processlock` tells which processes live. Each other file holds the
queries of one group of tables. Moments are integers: microseconds since the epoch, in UTC. Functions take the
connection that they run on, so that the caller decides what belongs to one transaction.
"""
