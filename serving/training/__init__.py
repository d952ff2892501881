"""Training and evaluation of the scoring model."""
