"""The shipped weights: both tiers load, tell plain insults from kindness, and stay within their size."""

import pyarrow as pa
import pytest

from schemas.scoring import REQUEST
from serving.scorer.backend import MODELS, Scorer, load_scorer

INSULTS = {
    "en": "you are a stupid worthless idiot",
    "ru": "ты тупой дебил, заткнись",
    "pt": "você é um idiota de merda",
    "de": "du bist ein dummer idiot",
    "es": "eres un idiota de mierda",
    "tr": "sen aptal bir orospu çocuğusun",
    "ko": "이 병신 새끼야 꺼져",
    "zh": "你这个傻逼去死吧",
}
KINDNESS = {
    "en": "thank you so much, this was a lovely stream",
    "ru": "спасибо большое, отличный был стрим",
    "pt": "muito obrigado, adorei essa live",
    "de": "vielen dank, das war ein schöner abend",
    "es": "muchas gracias, me encantó el directo",
    "tr": "çok teşekkürler, harika bir yayındı",
    "ko": "정말 감사합니다 오늘 방송 너무 좋았어요",
    "zh": "谢谢主播 今天很开心",
}
# Megabytes that the weights of a tier may take on disk.
SIZES = {"fast": 20, "base": 60}


@pytest.fixture(scope="module", params=sorted(SIZES))
def shipped(request: pytest.FixtureRequest) -> Scorer:
    return load_scorer(request.param)


def _scores(scorer: Scorer, texts: dict[str, str]) -> dict[str, dict[str, float]]:
    rows = [{"id": lang, "text": text} for lang, text in texts.items()]
    batch = pa.RecordBatch.from_pylist(
        [{field.name: row.get(field.name) for field in REQUEST} for row in rows], schema=REQUEST
    )
    return {row["id"]: row for row in scorer.score(batch).to_pylist()}


@pytest.mark.parametrize("lang", INSULTS)
def test_insults_are_more_toxic_and_less_positive_than_thanks(shipped: Scorer, lang: str) -> None:
    insult, thanks = _scores(shipped, INSULTS)[lang], _scores(shipped, KINDNESS)[lang]
    assert insult["lang"] == thanks["lang"] == lang
    assert insult["toxicity"] > 0.7 > 0.3 > thanks["toxicity"]
    assert thanks["sentiment"] > 0.4 > -0.2 > insult["sentiment"]


@pytest.mark.parametrize("tier", SIZES)
def test_the_weights_stay_small(tier: str) -> None:
    files = [path for path in (MODELS / tier).rglob("*") if path.suffix not in (".md", ".svg")]
    assert sum(path.stat().st_size for path in files if path.is_file()) < SIZES[tier] * 1e6
