"""Provisioning files of the data sources and the dashboard folder (Grafana's `provisioning/` folder)."""

from typing import Any

from dashboards.grafana.query import CLICKHOUSE, PROMETHEUS


def provider_files() -> dict[str, dict[str, Any]]:
    """Content by path; `$NAME` is filled by Grafana from its environment."""
    return {
        "datasources/pulse": {
            "apiVersion": 1,
            "datasources": [
                {
                    "name": "Pulse ClickHouse",
                    "uid": CLICKHOUSE.uid,
                    "type": CLICKHOUSE.type_val,
                    "access": "proxy",
                    "isDefault": True,
                    "editable": True,
                    "jsonData": {
                        "host": "$PULSE_CLICKHOUSE_HOST",
                        "port": "$PULSE_CLICKHOUSE_PORT",
                        "protocol": "http",
                        "path": "$PULSE_CLICKHOUSE_PATH",
                        "username": "$PULSE_CLICKHOUSE_USER",
                        "defaultDatabase": "pulse",
                        "queryTimeout": "60",
                        "dialTimeout": "10",
                    },
                    "secureJsonData": {"password": "$PULSE_CLICKHOUSE_PASSWORD"},
                },
                {
                    "name": "Pulse Prometheus",
                    "uid": PROMETHEUS.uid,
                    "type": PROMETHEUS.type_val,
                    "access": "proxy",
                    "editable": True,
                    "url": "$PULSE_PROMETHEUS_URL",
                },
            ],
        },
        "dashboards/pulse": {
            "apiVersion": 1,
            "providers": [
                {
                    "name": "pulse",
                    "folder": "Pulse",
                    "folderUid": "pulse",
                    "type": "file",
                    "allowUiUpdates": True,
                    "updateIntervalSeconds": 30,
                    "options": {"path": "$PULSE_DASHBOARDS"},
                }
            ],
        },
    }
