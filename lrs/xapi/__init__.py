"""The record store: the xAPI standard as pure functions, its service, its routes."""
