"""Estimators shared by the analyses: curves, comparisons, models, and the words for their numbers."""
