"""Portfolios: one learner's records from everywhere, assembled, shown and shared."""
