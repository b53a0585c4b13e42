"""What this room calls its recorded values."""

FRAMEWORK = "framework"
"""Recorded, in an institution; the subject is the CFDocument's identifier."""

ALIGNMENT = "alignment"
"""Recorded, in an institution; the subject is its name."""
