"""Routes of learners."""
