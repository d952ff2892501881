"""Scoring, windows and detection."""
