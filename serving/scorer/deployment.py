"""The Ray Serve deployment of the scorer: replicas, device and knobs from `ServeSettings`."""

from typing import Any

from fastapi import FastAPI
from ray import serve

from serving.scorer.settings import BatchKnobs, ServeSettings


@serve.deployment
@serve.ingress()
class ScorerReplica:
    """One process that scores. `reconfigure` swaps the knobs between two requests; none is dropped."""

    def __init__(self, model: str, device: str) -> None:
        # Imported in the replica: driver and controller read this module too and need no model.
        from serving.scorer.app import ScoringService
        from serving.scorer.backend import load_scorer

        self._service = ScoringService(load_scorer(model, device), BatchKnobs())

    def reconfigure(self, user_config: dict[str, Any]) -> None:
        """Take new knobs; called by Serve at the start and on every change of `user_config`."""
        self._service.knobs = BatchKnobs(**user_config)

    def __serve_build_asgi_app__(self) -> FastAPI:
        """The HTTP side; called by Serve after the constructor."""
        from serving.scorer.app import build_app

        return build_app(self._service)


def build(settings: ServeSettings) -> serve.Application:
    """The application to hand to `serve.run`."""
    deployment: serve.Deployment = ScorerReplica.options(  # type: ignore[attr-defined]
        name="scorer",
        num_replicas=settings.replicas,
        max_ongoing_requests=settings.max_ongoing_requests,
        user_config=settings.user_config,
        ray_actor_options={"num_cpus": settings.cpus_per_replica, "num_gpus": settings.gpus_per_replica},
        health_check_period_s=5,
        graceful_shutdown_timeout_s=5,
    )
    application: serve.Application = deployment.bind(settings.model, settings.device)
    return application
