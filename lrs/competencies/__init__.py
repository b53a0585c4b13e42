"""Competencies: frameworks (CASE), alignments, evidence, and progress by a named model."""
