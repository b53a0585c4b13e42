"""Tables of jobs and of streams out."""

JOB_TABLES = """
-- until: 0 while nobody holds the lease. report: JSON.
CREATE TABLE jobs (
    name TEXT PRIMARY KEY, epoch INTEGER NOT NULL, holder TEXT NOT NULL, until INTEGER NOT NULL,
    asked INTEGER NOT NULL, started INTEGER NOT NULL, ended INTEGER NOT NULL, failures INTEGER NOT NULL
) WITHOUT ROWID, STRICT;
CREATE TABLE job_runs (
    job TEXT, epoch INTEGER, holder TEXT NOT NULL, started INTEGER NOT NULL, ended INTEGER,
    outcome TEXT NOT NULL, report TEXT NOT NULL, PRIMARY KEY (job, epoch)
) WITHOUT ROWID, STRICT;

-- doc: JSON. A destination's secrets in it are encrypted. letters: what was refused for good.
CREATE TABLE destinations (
    id TEXT PRIMARY KEY, institution TEXT NOT NULL, name TEXT NOT NULL, doc TEXT NOT NULL,
    UNIQUE (institution, name)
) WITHOUT ROWID, STRICT;
CREATE TABLE deliveries (
    destination TEXT PRIMARY KEY, epoch INTEGER NOT NULL, doc TEXT NOT NULL
) WITHOUT ROWID, STRICT;
CREATE TABLE letters (
    destination TEXT, statement TEXT, position INTEGER NOT NULL, asked INTEGER NOT NULL,
    doc TEXT NOT NULL, PRIMARY KEY (destination, statement)
) WITHOUT ROWID, STRICT;
"""
