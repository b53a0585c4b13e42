"""Consent: who may see what of whom, on what ground, and what was disclosed."""
