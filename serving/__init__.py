"""The model and the API."""
