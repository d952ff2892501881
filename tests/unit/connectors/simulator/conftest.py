import pytest

from connectors.simulator.generator import PLAYERS
from connectors.simulator.scenario import Scenario


@pytest.fixture(scope="session")
def everything() -> Scenario:
    """A small scenario in which every kind of event happens, three channels each."""
    return Scenario.model_validate(
        {
            "name": "everything",
            "length_s": 240,
            "channels": [
                {"name": "a_en", "language": "en", "rate_per_s": 1, "regulars": 60},
                {"name": "b_ru", "language": "ru", "rate_per_s": 0.5, "regulars": 40},
                {
                    "name": "c_de",
                    "language": "de",
                    "rate_per_s": 0.3,
                    "regulars": 30,
                    "accounts_known": False,
                },
            ],
            "events": [
                {
                    "kind": kind,
                    "channels": ["a_en", "b_ru", "c_de"]
                    if kind == "wave"
                    else [("a_en", "b_ru", "c_de")[n % 3]],
                    "start_s": [20, 100],
                }
                for n, kind in enumerate(sorted(PLAYERS))
            ],
        }
    )
