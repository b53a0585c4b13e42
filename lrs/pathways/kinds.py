"""What this room calls its recorded values and derived tables."""

PATHWAY = "pathway"
"""Recorded, in an institution; the subject is its name."""

COMPLETIONS = "completions"
"""Derived; an owner is a learner, a key ``<institution> <pathway>``; only what was begun."""
