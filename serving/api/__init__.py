"""REST, WebSocket and the host of the live page; reads the store through an injected client."""
