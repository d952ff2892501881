"""Training of the `base` tier: a small pretrained transformer, widened to many languages."""
