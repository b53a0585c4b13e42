"""Transcripts: crosswalks, and what a learner did translated into courses, credits and grades."""
