"""Figures: each draws what an experiment or a run found."""
