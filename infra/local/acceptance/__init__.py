"""Is nothing lost, nothing doubled, and how fast was it: the checks behind `pulse demo` and `pulse bench`."""
