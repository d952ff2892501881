"""The detection benchmark: simulated families against ground truth, real chat against none."""
