"""One module a command of `pulse`."""
