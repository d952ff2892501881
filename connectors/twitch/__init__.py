"""Twitch: its IRC, read and normalised, and the live source over WebSocket."""
