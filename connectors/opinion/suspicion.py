"""Texts that look as if they spoke to a model: they are asked alone, where they spoil no other figures.

No list of phrases is complete (https://genai.owasp.org/llmrisk/llm01-prompt-injection/): what slips through
meets the controls in its batch (`controls`) and the checks of the answer (`answer`). A harmless text that is
caught costs one request.
"""

import re
from typing import Final

from pipelines.core.text.normalise import normalise

LONG: Final = 280
"""Code points; few chat lines are longer, and instructions need room."""

_ADDRESSED: Final = re.compile(
    # English
    r"\b(?:ignor|disregard|overrid|bypass|jailbreak|prompt|instruct|directive|developer mode|pretend)"
    r"|\bforget (?:all|every|what|your|the|previous)"
    r"|\b(?:previous|above|following|other|all|every|each) (?:message|text|id|entr)"
    r"|\byou are (?:now\b|an? (?:ai|assistant|bot|model|classifier|expert|helpful))"
    r"|\bas an? (?:ai|assistant|language model)\b|\b(?:ai|assistant|chatbot|gpt|chatgpt|llm|claude|gemini)\b"
    r"|\b(?:rate|score|label|classify|mark|answer|reply|respond|return|output|print|set)"
    r" (?:this|it|as|with|only|all|every|the|each)\b"
    # what is asked for, whatever the language
    r"|toxicity|toxicidad|toxizit|sarcasm\b|sentiment|opinions\b|\bjson|\bschema|\bscores? ?[:=]"
    # Russian and Ukrainian
    r"|игнорир|ігнору|проигнор|забудь|инструкц|інструкц|промпт|ответь|оцени|токсичност|сарказм|нейросет"
    # Spanish, Portuguese, French, Italian
    r"|instrucc|instruc(?:oes|ao)|istruzion|consigne|oublie|olvida|esqueca|dimentica|\brespond[ae]\b|\brepond"
    # German, Polish, Turkish
    r"|anweisung|vergiss|antworte|bewerte|instrukcj|zapomnij|odpowiedz|talimat|yoksay|gormezden|yanitla"
    # Arabic, Hindi, Chinese, Japanese, Korean
    r"|تعليمات|تجاهل|निर्देश|अनदेखा|忽略|无视|無視|指令|提示词|指示|命令|忘记|무시|지시|명령|프롬프트"
)
_FORMATTED: Final = re.compile(
    r"[{}\[\]]\s*[\"'{}\[\]]|[\"']\s*:|```|<\|?/?[a-z_]{2,}\|?>|\[/?inst\]|\b(?:system|user|assistant|human)\s*[:>]"
    r"|[#=*_-]{4,}|\\[nu\"]",
    re.IGNORECASE,
)
_CODED: Final = re.compile(r"\b(?=\w*\d)(?=\d*[a-f])[0-9a-f]{8,}\b|[A-Za-z0-9+/=_-]{40,}", re.IGNORECASE)
_TOKENS: Final = re.compile(r"<url>")


def looks_hostile(text: str) -> bool:
    """Whether a text holds words of instruction, marks of a format, ids, or is unusually long.

    Args:
        text: As it is sent, see `pipelines.core.text.scrub`.
    """
    plain = _TOKENS.sub("", text)
    return (
        len(text) > LONG
        or _FORMATTED.search(plain) is not None
        or _CODED.search(plain) is not None
        or _ADDRESSED.search(normalise(plain)) is not None
    )
