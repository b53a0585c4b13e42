"""Streams out: the log as something that others read, and what is sent to them from it."""
