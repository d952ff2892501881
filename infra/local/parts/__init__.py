"""The parts of the local stack: how each is started and how one sees that it lives."""
