"""Contracts between the rooms: record types, topics, labels, codecs and migrations."""
