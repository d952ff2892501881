"""The second opinion: a large language model's on lines that the fast model is unsure about. Off by default.

A consumer of its own, behind chat.scored.v1: scoring neither waits for it nor notices when it is down.
"""
