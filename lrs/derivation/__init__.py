"""Deriving: what follows from the log and the history, kept up to date and made again."""
