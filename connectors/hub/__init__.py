"""Many channels of many platforms in one process, shared out over as many processes as run."""
