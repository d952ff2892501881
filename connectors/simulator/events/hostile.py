"""Attacks: crowds that insult at once, drop by drop or over channels; link spam; one account that floods."""

import random
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from connectors.simulator.arrivals import ramp, reaction
from connectors.simulator.draws import draw_count, draw_span, mostly
from connectors.simulator.event_kinds import AccountFlood, HostileEvent, LinkSpam, Span
from connectors.simulator.events.cue import Cue
from connectors.simulator.obfuscation import obfuscate
from connectors.simulator.people import Viewer, newcomer
from connectors.simulator.speech import bank, hostile_phrases, phrases
from connectors.simulator.stage import Stage

_HOSTS: Final = (("viewers", "boost", "skins", "follow", "stream"), ("now", "pro", "best", "free"))
YOUNG_DAYS: Final = 30.0
"""Accounts younger than this make the family `young`, others `aged`."""


def play_crowd(event: HostileEvent, cue: Cue) -> None:
    """Hostile accounts turn up within the ramp and write their lines; regulars notice."""
    rng = cue.rng
    texts, obfuscation = cue.choice("texts", event.texts), cue.choice("obfuscation", event.obfuscation)
    ramp_s = cue.span("ramp_s", event.ramp_s)
    cue.parameters["accounts"] = accounts = draw_count(rng, event.accounts)
    cue.parameters["age"] = "young" if _oldest(event.age_days) <= YOUNG_DAYS else "aged"
    shared = (
        [newcomer(rng, event.age_days) for _ in range(round(accounts * event.reuse))]
        if len(cue.stages) > 1
        else []
    )
    spoken = host = ""
    for stage in cue.stages:
        own = stage.channel.language
        if not spoken or (event.language == "own" and spoken != own):
            others = [lang for lang in sorted(hostile_phrases()) if lang != own]
            spoken = own if event.language == "own" else rng.choice(others)
            if texts == "offers":
                host = host or _host(rng)
                say = _offer(spoken, host, rng)
            else:
                say = hostile_text(texts, spoken, rng)
        # a copy for each channel: a line is an account's first one there, whatever it wrote elsewhere
        attackers = [
            *map(replace, shared),
            *(newcomer(rng, event.age_days) for _ in range(accounts - len(shared))),
        ]
        for attacker, delay in zip(attackers, ramp(rng, accounts, ramp_s), strict=True):
            attacker.new = rng.random() < event.first_message
            at = delay
            for _ in range(draw_count(rng, event.messages_each)):
                text = obfuscate(say(), obfuscation, rng)
                cue.line(
                    stage,
                    at,
                    f"{text} {stage.speech.emote('anger')}" if rng.random() < event.emotes else text,
                    attacker,
                )
                at += draw_span(rng, event.pause_s)
        for delay in reaction(rng, max(2, accounts // 5), max(15, ramp_s)):
            cue.answer(stage, 2 + delay, mostly(rng, ("surprise", "anger", "sadness"), (4, 2, 1)))


def play_link_spam(event: LinkSpam, cue: Cue) -> None:
    """Accounts post the same offer with links to reserved names."""
    rng = cue.rng
    accounts, ramp_s = cue.count("accounts", event.accounts), cue.span("ramp_s", event.ramp_s)
    obfuscation, style = (
        cue.choice("obfuscation", event.obfuscation),
        cue.choice("link_style", event.link_style),
    )
    for stage in cue.stages:
        offer = rng.choice(stage.speech.of("spam"))
        host = _host(rng)
        for delay in ramp(rng, accounts, ramp_s):
            spammer, at = newcomer(rng, event.age_days), delay
            for _ in range(draw_count(rng, event.messages_each)):
                before, after = (
                    obfuscate(part, obfuscation, rng) if part else "" for part in offer.split("{url}")
                )
                cue.line(stage, at, f"{before}{_link(host, style, rng)}{after}", spammer)
                at += draw_span(rng, event.pause_s)


def play_flood(event: AccountFlood, cue: Cue) -> None:
    """One account writes line after line; others complain."""
    rng = cue.rng
    count, style = cue.count("messages", event.messages), cue.choice("style", event.style)
    regular = rng.choice(event.regular) if isinstance(event.regular, list) else event.regular
    cue.parameters["regular"] = regular
    for stage in cue.stages:
        flooder = rng.choice(stage.audience.regulars[2:]) if regular else newcomer(rng, (0, 400))
        flooder.badges = ()
        base, at = stage.speech.say("neutral", flooder), 0.0
        for _ in range(count):
            cue.line(stage, at, _flood_line(style, base, stage, flooder, rng), flooder)
            at += draw_span(rng, event.pause_s)
        for delay in reaction(rng, max(2, count // 8), 20):
            cue.answer(stage, 4 + delay, mostly(rng, ("anger", "surprise"), (2, 1)))


def hostile_text(source: str, lang: str, rng: random.Random) -> Callable[[], str]:
    """A source of hostile lines: a fixed line, few templates, many paraphrases, or labelled insults."""
    own = hostile_phrases()[lang]

    def templated() -> str:
        template: str = rng.choice(templates)
        return template.format(insult=rng.choice(own["insult"]), end=rng.choice(own["end"]))

    def paraphrased() -> str:
        return " ".join(part for part in (rng.choice(column) for column in own["paraphrase"]) if part)

    templates = rng.sample(own["templates"], 3)
    if source == "paraphrased":
        return paraphrased
    if source == "templated":
        return templated
    insults = bank().get((lang, "insult"), ())
    if source == "labelled":
        lines = (*insults, *phrases()["langs"][lang]["quarrel"])  # some languages have few labelled insults
        return lambda: rng.choice(lines)
    line = templated()
    return lambda: line


def _offer(lang: str, host: str, rng: random.Random) -> Callable[[], str]:
    """One offer with a link whose path differs each time."""
    offer = rng.choice(phrases()["langs"][lang]["spam"])
    return lambda: offer.replace("{url}", _link(host, "bare", rng))


def _oldest(age_days: Span) -> float:
    return age_days[1] if isinstance(age_days, tuple) else age_days


def _host(rng: random.Random) -> str:
    return "-".join(rng.choice(words) for words in _HOSTS)


def _link(host: str, style: str, rng: random.Random) -> str:
    path = "".join(rng.choices("abcdefghkmnpqrstuvwxyz23456789", k=5))
    if style == "scheme":
        return f"https://{host}.example/{path}"
    return f"{host}.example/{path}" if style == "bare" else f"{host} (dot) example"


def _flood_line(style: str, base: str, stage: Stage, flooder: Viewer, rng: random.Random) -> str:
    if style == "same":
        return base
    if style == "wall":
        return " ".join([base] * rng.randint(3, 9))
    if style == "emotes":
        return " ".join([stage.speech.emote("amusement")] * rng.randint(2, 8))
    return stage.speech.say("neutral", flooder)
