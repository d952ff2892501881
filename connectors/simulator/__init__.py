"""Simulated chat: declarative scenarios in, recorded-chat lines and their ground truth out."""
