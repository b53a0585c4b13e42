"""Kinds of source, as a library: the base contract, then one file or folder per kind."""
