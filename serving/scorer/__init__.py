"""The scoring model's protocol, backends, deployment and client."""
