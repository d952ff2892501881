"""Chat exports of other tools, read as recorded chat."""
