"""The program that compiles and renders tenants' templates, in a process of its own with next to nothing in reach.

Nothing here may import Django or the project: the process must not even know where the database is.
"""
