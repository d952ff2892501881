"""All that touches the outside: chat platforms, replay, simulator, the ClickHouse sink."""
