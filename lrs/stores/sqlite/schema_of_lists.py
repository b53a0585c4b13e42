"""The table of merged lots' postings."""

LIST_TABLES = """
-- Key: the first posting of a block; content: blocks.py. A lot that lots does not list is unseen.
CREATE TABLE lists (
    lot INTEGER, h INTEGER, prim INTEGER, first INTEGER, content BLOB NOT NULL,
    PRIMARY KEY (lot, h, prim, first)
) WITHOUT ROWID, STRICT;
"""
