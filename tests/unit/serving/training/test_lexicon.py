"""Words of the lexicon: counted once a text, letters only, no mentions or hashtags."""

from pipelines.core.text.lexicon import lexicon_of
from serving.training.lexicon import lexicon_lines, word_counts


def test_words_count_once_a_text_and_repeated_texts_once() -> None:
    counts = word_counts(["Good good game", "good GAME!", "good GAME!", "@good #game gr8 добрый :good: 好"])
    assert counts == {"good": 2, "game": 2, "добрый": 1}


def test_the_file_holds_frequent_words_by_level() -> None:
    lines = lexicon_lines(word_counts([f"the cat {n}{n}" for n in "abcd"] + ["the dog", "the dog"]), least=3)
    assert lines == ["3 cat the"]
    assert len(lexicon_of("\n".join(lines)).costs) == 2
