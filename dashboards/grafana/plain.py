"""SDK objects as plain JSON values."""

import json
from typing import Any

from grafana_foundation_sdk.cog.encoder import JSONEncoder


def plain(value: object) -> Any:
    """The value as dicts, lists, texts and numbers."""
    return json.loads(json.dumps(value, cls=JSONEncoder))
