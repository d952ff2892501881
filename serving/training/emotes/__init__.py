"""What emotes mean: learned from recorded chat, checked by hand, measured."""
