"""Benign events with like lines by many: copypasta, giveaway, poll, bot commands, sub train."""

from connectors.simulator.arrivals import ramp, reaction, typing_delay
from connectors.simulator.draws import poisson
from connectors.simulator.event_kinds import BotCommands, ClipSharing, Copypasta, Giveaway, Poll, SubTrain
from connectors.simulator.events.cue import Cue
from connectors.simulator.people import Viewer, newcomer
from connectors.simulator.stage import Stage

LURKERS = 0.15
"""Share of a giveaway's or poll's voices that never wrote before (lurkers come out)."""


def play_copypasta(event: Copypasta, cue: Cue) -> None:
    """Regulars repeat one text; some change the end."""
    accounts, ramp_s = cue.count("accounts", event.accounts), cue.span("ramp_s", event.ramp_s)
    for stage in cue.stages:
        text = cue.rng.choice(stage.speech.of("copypasta"))
        people = stage.audience.crowd(accounts)
        for viewer, delay in zip(people, ramp(cue.rng, len(people), ramp_s), strict=True):
            tail = f" {stage.speech.emote('amusement')}" if cue.rng.random() < 0.3 else ""
            cue.line(stage, delay, text + tail, viewer)
        for delay in reaction(cue.rng, accounts // 4, ramp_s):
            cue.answer(stage, delay, "amusement")


def play_clip_sharing(event: ClipSharing, cue: Cue) -> None:
    """Regulars post their clips, some with a word."""
    accounts, ramp_s = cue.count("accounts", event.accounts), cue.span("ramp_s", event.ramp_s)
    for stage in cue.stages:
        people = stage.audience.crowd(accounts)
        for viewer, delay in zip(people, ramp(cue.rng, len(people), ramp_s), strict=True):
            clip = f"https://clips.example/{cue.rng.getrandbits(40):x}"
            word = f"{stage.speech.say('joy', viewer)} " if cue.rng.random() < 0.4 else ""
            cue.line(stage, delay, word + clip, viewer)
        for delay in reaction(cue.rng, accounts, ramp_s):
            cue.answer(stage, delay, "amusement")


def play_giveaway(event: Giveaway, cue: Cue) -> None:
    """The bot opens it, everybody types the word, some twice."""
    accounts, ramp_s = cue.count("accounts", event.accounts), cue.span("ramp_s", event.ramp_s)
    for stage in cue.stages:
        words = stage.speech.of("giveaway")
        word = cue.rng.choice(words["words"])
        cue.line(stage, 0, cue.rng.choice(words["open"]).format(word=word), stage.audience.bot)
        for viewer, delay in _voices(cue, stage, accounts, ramp_s):
            cue.line(stage, delay, word, viewer)
            if cue.rng.random() < 0.1:
                cue.line(stage, delay + typing_delay(cue.rng, 8), word, viewer)


def play_poll(event: Poll, cue: Cue) -> None:
    """The bot asks, viewers type 1 or 2."""
    accounts, ramp_s = cue.count("accounts", event.accounts), cue.span("ramp_s", event.ramp_s)
    lean = cue.rng.uniform(0.3, 0.7)
    for stage in cue.stages:
        cue.line(stage, 0, cue.rng.choice(stage.speech.of("poll")), stage.audience.bot)
        for viewer, delay in _voices(cue, stage, accounts, ramp_s):
            cue.line(stage, delay, "1" if cue.rng.random() < lean else "2", viewer)


def play_bot_commands(event: BotCommands, cue: Cue) -> None:
    """Viewers type a command, the bot answers each time until it cools down."""
    accounts, ramp_s = cue.count("accounts", event.accounts), cue.span("ramp_s", event.ramp_s)
    for stage in cue.stages:
        command, answer = cue.rng.choice(sorted(stage.speech.of("commands").items()))
        answered = -10.0
        people = stage.audience.crowd(accounts)
        for viewer, delay in zip(people, ramp(cue.rng, len(people), ramp_s), strict=True):
            cue.line(stage, delay, command, viewer)
            if delay - answered > 3:
                answered = delay
                cue.line(stage, delay + 0.4, answer.format(n=cue.rng.randint(2, 90)), stage.audience.bot)


def play_sub_train(event: SubTrain, cue: Cue) -> None:
    """The bot names subscribers one after another, the chat cheers."""
    subs, ramp_s = cue.count("subs", event.subs), cue.span("ramp_s", event.ramp_s)
    for stage in cue.stages:
        for delay in ramp(cue.rng, subs, ramp_s):
            person = cue.rng.choice(stage.audience.regulars).id
            line = cue.rng.choice(stage.speech.of("sub_line")).format(name=person, n=cue.rng.randint(2, 48))
            cue.line(stage, delay, line, stage.audience.bot)
            for late in reaction(cue.rng, poisson(cue.rng, 1.5), 8):
                cue.line(stage, delay + late, None, mood="sub_react")


def _voices(cue: Cue, stage: Stage, accounts: int, ramp_s: float) -> list[tuple[Viewer, float]]:
    lurkers = [newcomer(cue.rng, (30, 3000)) for _ in range(round(accounts * LURKERS))]
    people = [*stage.audience.crowd(accounts - len(lurkers)), *lurkers]
    cue.rng.shuffle(people)
    return [
        (viewer, 2.5 + delay)
        for viewer, delay in zip(people, reaction(cue.rng, len(people), ramp_s), strict=True)
    ]
