"""What every connector shares: the Source contract, runner, Kafka producer, pseudonyms, clock."""
