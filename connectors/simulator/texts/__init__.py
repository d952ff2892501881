"""The text bank and the phrases that simulated viewers use."""
