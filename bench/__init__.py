"""Measures Traffic Control beside the plain design of a notification service, in alternating slices."""
