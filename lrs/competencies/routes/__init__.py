"""Routes of competencies."""
