"""The command line, the local stack, deployment."""
