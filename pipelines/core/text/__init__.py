"""Text preparation, shared by training, serving and fingerprints: one canonical form, one set of features."""

from pipelines.core.text.normalise import normalise

__all__ = ["normalise"]
