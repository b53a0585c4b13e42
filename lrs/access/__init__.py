"""Institutions, clients, keys and scopes, people who sign in."""
