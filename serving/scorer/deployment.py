"""The Ray Serve deployment of the scorer: replicas, device, model and knobs from `ServeSettings`."""

from typing import Any, Final

from fastapi import FastAPI
from ray import serve

from serving.scorer.settings import BatchKnobs, ServeSettings

_CODE: Final = "1"
"""Version of the replica's code, which does not change while a process of `serving.scorer.serve` lives."""


@serve.deployment
@serve.ingress()
class ScorerReplica:
    """One process that scores. `reconfigure` swaps model and knobs between two batches; drops no request."""

    def __init__(self, device: str) -> None:
        # Imported in the replica: driver and controller read this module too and need no model.
        from serving.scorer.app import ScoringService
        from serving.scorer.backend import Scorer, load_scorer
        from serving.scorer.model_slot import ModelSlot
        from serving.scorer.trial import Trial

        def load(model: str) -> Scorer:
            return load_scorer(model, device)

        self._service = ScoringService(ModelSlot(load), BatchKnobs(), Trial(load))

    def reconfigure(self, user_config: dict[str, Any]) -> None:
        """Take models and knobs; called by Serve at the start and on every change of `user_config`.

        At the start it returns with the model loaded. Later it returns at once: Serve sends a replica no
        requests while it reconfigures, and the model before goes on until the new one is there.
        """
        knobs = dict(user_config)
        model, model_b, share_b = (knobs.pop(name) for name in ("model", "model_b", "share_b"))
        self._service.knobs = BatchKnobs(**knobs)
        self._service.slot.use(model)
        self._service.trial.use(model_b, share_b)

    def __serve_build_asgi_app__(self) -> FastAPI:
        """The HTTP side; called by Serve after the constructor."""
        from serving.scorer.app import build_app

        return build_app(self._service)


def build(settings: ServeSettings) -> serve.Application:
    """The application to hand to `serve.run`; another model changes its `user_config` alone."""
    deployment: serve.Deployment = ScorerReplica.options(  # type: ignore[attr-defined]
        name="scorer",
        num_replicas=settings.replicas,
        max_ongoing_requests=settings.max_ongoing_requests,
        user_config=settings.user_config
        | {"model": settings.model, "model_b": settings.model_b, "share_b": settings.share_b},
        ray_actor_options={"num_cpus": settings.cpus_per_replica, "num_gpus": settings.gpus_per_replica},
        health_check_period_s=5,
        graceful_shutdown_timeout_s=5,
        # Without a version of its own each deploy counts as new code: Serve would replace the replicas.
        version=_CODE,
        _internal=True,
    )
    application: serve.Application = deployment.bind(settings.device)
    return application
