"""Fine-tuning of a shipped model on somebody's own labels."""
