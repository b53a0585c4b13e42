"""Learners: identifiers, exact links between them, rosters."""
