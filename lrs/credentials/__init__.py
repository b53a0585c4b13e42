"""Credentials: awards that followed from a completion, each made once."""
