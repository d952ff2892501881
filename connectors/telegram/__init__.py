"""Telegram: groups and channels by the Bot API, as records."""
