"""The model that a replica serves, and its replacement while requests go on."""

import logging
import threading
from collections.abc import Callable

from serving.scorer.backend import DeviceUnavailableError, ModelNotFoundError, Scorer

log = logging.getLogger(__name__)


class ModelSlot:
    """Holds the model in service. A new one loads beside it and takes its place in one assignment.

    A batch is scored by the model that was in the slot when it began. Where the new one cannot be loaded the
    old one stays, and `failure` says why.

    Args:
        load: Loads a model by its name; called in a thread of its own.
        first_in_background: Whether the first model loads like later ones, and may be refused like them.
    """

    def __init__(self, load: Callable[[str], Scorer], *, first_in_background: bool = False) -> None:
        self._load = load
        self._first_in_background = first_in_background
        self._lock = threading.Lock()
        self._scorer: Scorer | None = None
        self._wanted: str | None = None
        self._loader: threading.Thread | None = None
        self.failure: str | None = None
        """Why the model that was asked for last is not in service."""

    @property
    def scorer(self) -> Scorer:
        """The model in service."""
        if self._scorer is None:
            raise RuntimeError("no model has been asked for yet")
        return self._scorer

    @property
    def ready(self) -> bool:
        """Whether there is a model in service."""
        return self._scorer is not None

    @property
    def wanted(self) -> str | None:
        """The model that was asked for last."""
        return self._wanted

    @property
    def loading(self) -> bool:
        """Whether the model that was asked for last is still on its way."""
        return self._loader is not None

    def use(self, model: str) -> None:
        """Serve this model: the first one is loaded before the call returns, later ones in the background.

        Asked again while one loads, the newest wish counts. Asking for the model in service does nothing.

        Raises:
            ModelNotFoundError, DeviceUnavailableError: If the first model cannot be loaded.
        """
        with self._lock:
            if self._scorer is not None and model == self._wanted and self.failure is None:
                return
            self._wanted, self.failure = model, None
            if self._scorer is None and not self._first_in_background:
                self._scorer = self._load(model)
            elif self._loader is None:
                self._loader = threading.Thread(target=self._replace, name="load-model", daemon=True)
                self._loader.start()

    def wait(self, timeout_s: float | None = None) -> None:
        """Wait until nothing loads any more."""
        loader = self._loader
        if loader is not None:
            loader.join(timeout_s)

    def _replace(self) -> None:
        while True:
            with self._lock:
                model = self._wanted
            assert model is not None
            scorer, failure = None, None
            try:
                scorer = self._load(model)
            except (ModelNotFoundError, DeviceUnavailableError) as error:
                failure = str(error)
            except Exception as error:
                log.exception("model %s cannot be loaded", model)
                failure = f"{type(error).__name__}: {error}"
            with self._lock:
                if model != self._wanted:
                    continue
                self._scorer = scorer or self._scorer
                self.failure = failure
                self._loader = None
            if failure:
                log.error("model %s is refused, the one before stays: %s", model, failure)
            return
