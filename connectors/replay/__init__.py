"""Recorded chat, replayed live by `ReplaySource` or read offline by `recorded_records`."""

from connectors.replay.records import RecordingError, recorded_records

__all__ = ["RecordingError", "recorded_records"]
