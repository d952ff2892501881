"""The store: clients for chDB and ClickHouse servers, migrations, and the sink that fills them from Kafka."""
