"""Detection on raw chat: features per second, baselines, detectors, alert episodes."""
