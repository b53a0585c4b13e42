"""Ecosystems as data, and what loads them."""
