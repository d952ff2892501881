"""Shadow mode: a candidate scores a sample of what the model in service has scored."""
