"""The live page: static files, no build step."""
