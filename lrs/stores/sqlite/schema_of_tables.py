"""Tables of recorded values."""

RECORDED_TABLES = """
-- version: 0 for bookkeeping. terms: JSON list, sorted. What is long stands last, so that a list of
-- subjects does not read it.
CREATE TABLE recorded (
    tenant INTEGER, kind TEXT, subject TEXT, version INTEGER NOT NULL, at INTEGER NOT NULL,
    terms TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (tenant, kind, subject)
) STRICT;
CREATE TABLE recorded_terms (
    tenant INTEGER, kind TEXT, term TEXT, subject TEXT, PRIMARY KEY (tenant, kind, term, subject)
) WITHOUT ROWID, STRICT;
"""
