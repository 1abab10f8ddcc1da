"""What is new in an inbox, as it happens: server-sent events, in a process of their own.

An open stream is a coroutine and some kilobytes; it holds no thread and no database connection. Hints come through
Redis. The truth is the inbox's version in the database: what was missed is made up for from there, by Last-Event-ID
after a gap and by a look at all versions every SWEEP seconds.
"""
