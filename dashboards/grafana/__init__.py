"""Grafana as code: dashboards, alert rules and provisioning files, built as JSON and YAML."""
