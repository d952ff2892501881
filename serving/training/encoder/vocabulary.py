"""The vocabulary of the encoder: the word pieces it was pretrained with, and new ones for other languages."""

from collections.abc import Iterable
from pathlib import Path
from typing import Final

from tokenizers import AddedToken, Tokenizer, models, normalizers, pre_tokenizers, processors, trainers

SPECIAL: Final = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
WHOLE: Final = ("<url>", "@user")
"""Tokens of canonical text that are never taken apart."""
_LONGEST_WORD: Final = 60


def widened(start: Path, english: Iterable[str], others: Iterable[str], size: int) -> Tokenizer:
    """A tokeniser over pieces of the pretrained one that `english` uses, and new ones learned from `others`.

    Word pieces (Schuster & Nakajima 2012; Devlin et al. 2019, https://arxiv.org/abs/1810.04805). Accents
    stay: the pretrained tokeniser drops them, which makes other words of Russian, Turkish and Hindi ones.

    Args:
        start: Folder of the pretrained model (`tokenizer.json`).
        english: Canonical texts that decide which pretrained pieces are kept.
        others: Canonical texts of all other languages.
        size: Number of pieces to learn from `others`; those that are known already count among them.
    """
    pretrained = tokenizer_over(Tokenizer.from_file(str(start / "tokenizer.json")).get_vocab())
    used: set[str] = set()
    for encoding in pretrained.encode_batch(list(english)):
        used.update(encoding.tokens)
    learned = Tokenizer(models.WordPiece(unk_token="[UNK]", max_input_chars_per_word=_LONGEST_WORD))
    _dress(learned)
    learned.train_from_iterator(
        others,
        trainers.WordPieceTrainer(
            vocab_size=size, min_frequency=4, limit_alphabet=6_000, special_tokens=list(SPECIAL),
            show_progress=False,
        ),
    )  # fmt: skip
    pieces = [*SPECIAL, *WHOLE]
    pieces += sorted((used | set(learned.get_vocab())) - set(pieces))
    return tokenizer_over({piece: index for index, piece in enumerate(pieces)})


def tokenizer_over(vocabulary: dict[str, int]) -> Tokenizer:
    """The tokeniser of canonical text over a vocabulary: [CLS] pieces [SEP]."""
    tokenizer = Tokenizer(
        models.WordPiece(vocabulary, unk_token="[UNK]", max_input_chars_per_word=_LONGEST_WORD)
    )
    _dress(tokenizer)
    ends = [(name, vocabulary[name]) for name in ("[CLS]", "[SEP]")]
    tokenizer.post_processor = processors.TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=ends)
    tokenizer.add_special_tokens([AddedToken(name, special=True) for name in SPECIAL])
    whole = [name for name in WHOLE if name in vocabulary]
    tokenizer.add_tokens([AddedToken(name, normalized=False) for name in whole])
    return tokenizer


def _dress(tokenizer: Tokenizer) -> None:
    tokenizer.normalizer = normalizers.BertNormalizer(
        clean_text=True, handle_chinese_chars=True, strip_accents=False, lowercase=True
    )
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
