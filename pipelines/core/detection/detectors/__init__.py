"""Detectors: small pure classes, each by a named source; `DETECTORS` is the order in which they run."""

from typing import Final

from pipelines.core.detection.detectors.duplicates import Copypasta
from pipelines.core.detection.detectors.flood import Flood
from pipelines.core.detection.detectors.links import LinkSpam
from pipelines.core.detection.detectors.raid import Raid
from pipelines.core.detection.detectors.surge import Hype
from pipelines.core.detection.view import Detector

DETECTORS: Final[tuple[Detector, ...]] = (Raid(), LinkSpam(), Flood(), Copypasta(), Hype())
