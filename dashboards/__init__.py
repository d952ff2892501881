"""What people look at: Grafana as code and the live console."""
