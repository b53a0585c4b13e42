"""Kinds of source, as a library: the base contract, then one file or folder per kind.

A connector reads a place and hands what it finds to a sink. It knows no store and no room; it
reaches another host, or a file, only through what it is handed.
"""
