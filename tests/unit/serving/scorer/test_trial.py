"""Model b of an A/B test: loads beside the one in service, and costs no line whatever becomes of it."""

import threading
from types import SimpleNamespace
from typing import Any

import pyarrow as pa
import pytest
from fastapi.testclient import TestClient

from schemas.scoring import REQUEST, SHARE_HEADER
from serving.scorer.app import ScoringService, build_app
from serving.scorer.backend import ModelNotFoundError
from serving.scorer.fast import FastScorer
from serving.scorer.model_slot import ModelSlot
from serving.scorer.settings import BatchKnobs
from serving.scorer.trial import Trial

ROW = {"id": "1", "text": "hello there"}


class Loader:
    """Loads "other", a copy of the stub under another name, and "broken", which fails; waits for `go`."""

    def __init__(self, scorer: FastScorer) -> None:
        self.go = threading.Event()
        self.go.set()
        self._scorer = scorer

    def __call__(self, model: str) -> Any:
        assert self.go.wait(10)
        if model == "missing":
            raise ModelNotFoundError("no model at missing")
        return SimpleNamespace(
            name=model, version="9", score=self._fail if model == "broken" else self._score
        )

    def _score(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        return self._scorer.score(batch).replace_schema_metadata({"model": "other", "model_version": "9"})

    def _fail(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        raise RuntimeError("out of memory")


@pytest.fixture
def loader(scorer: FastScorer) -> Loader:
    return Loader(scorer)


@pytest.fixture
def service(slot: ModelSlot, loader: Loader) -> ScoringService:
    return ScoringService(slot, BatchKnobs(), Trial(loader))


@pytest.fixture
def http(service: ScoringService) -> TestClient:
    return TestClient(build_app(service))


def _start(service: ScoringService, model: str, share: float = 0.25) -> None:
    service.trial.use(model, share)
    slot = service.trial._slot
    assert slot is not None
    slot.wait(10)


def _model(http: TestClient, arm: str) -> tuple[str, str | None]:
    answer = http.post(f"/score?arm={arm}", json=ROW)
    assert answer.status_code == 200
    return answer.json()["model"], answer.headers.get(SHARE_HEADER)


def test_without_a_trial_both_arms_are_the_model_in_service(http: TestClient) -> None:
    assert _model(http, "a") == _model(http, "b") == ("stub", None)
    assert http.get("/info").json()["trial"] is None


def test_each_arm_has_its_model_and_answers_say_the_share(http: TestClient, service: ScoringService) -> None:
    _start(service, "other")
    assert (_model(http, "a"), _model(http, "b")) == (("stub", "0.25"), ("other", "0.25"))
    page = http.get("/metrics").text
    for arm in "ab":
        assert f'pulse_scorer_lines_total{{arm="{arm}"}} 1.0' in page
        assert f'pulse_scorer_model_seconds_total{{arm="{arm}"}}' in page
    trial = http.get("/info").json()["trial"]
    assert (trial["model"], trial["model_version"], trial["share"], trial["loading"]) == (
        "other",
        "9",
        0.25,
        False,
    )
    service.trial.use(None, 0.0)
    assert _model(http, "b") == ("stub", None)


def test_until_b_is_loaded_and_where_it_cannot_be_a_scores_all(
    http: TestClient, service: ScoringService, loader: Loader
) -> None:
    loader.go.clear()
    service.trial.use("other", 0.25)
    assert _model(http, "b") == ("stub", None)
    loader.go.set()
    _start(service, "missing")
    service.trial.use(None, 0.25)
    _start(service, "missing")
    assert _model(http, "b") == ("stub", None)
    assert "no model at missing" in http.get("/info").json()["trial"]["failure"]


def test_where_b_fails_a_answers(http: TestClient, service: ScoringService) -> None:
    _start(service, "broken")
    assert _model(http, "b") == ("stub", "0.25")
    assert "pulse_scorer_trial_failures_total 1.0" in http.get("/metrics").text


def test_another_arm_is_refused(http: TestClient) -> None:
    assert http.post("/score?arm=c", json=ROW).status_code == 422


def test_the_request_s_contract_is_the_same_for_both_arms(http: TestClient, service: ScoringService) -> None:
    _start(service, "other")
    assert http.post("/score?arm=b", json={"id": "1"}).status_code == 422
    assert REQUEST.names[:2] == ["id", "text"]
