"""Pure logic on values and Arrow batches, without Flink, Kafka or a clock of its own."""
