"""Pathways: steps towards a goal, and how far a learner has come."""
