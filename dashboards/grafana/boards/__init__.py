"""One module a dashboard; each has `build(say)`."""
