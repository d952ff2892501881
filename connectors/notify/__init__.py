"""Tells people of alerts: rules, quiet hours, webhook and Telegram (see README.md)."""
