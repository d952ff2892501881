"""Events that the audience itself makes: hype, disappointment, a friendly raid, a quarrel."""

from connectors.simulator.arrivals import plateau, ramp, reaction, typing_delay
from connectors.simulator.draws import mostly
from connectors.simulator.event_kinds import Discovery, FriendlyRaid, Hype, MoodTurn, Quarrel
from connectors.simulator.events.cue import Cue
from connectors.simulator.people import newcomer

LEAST_CROWD = 14
"""Lines below which nobody would call it a moment."""


def play_hype(event: Hype, cue: Cue) -> None:
    """A steep rise of happy, amused or amazed lines, then a decay."""
    intensity, length_s = cue.span("intensity", event.intensity), cue.span("length_s", event.length_s)
    mood = cue.choice("mood", event.mood)
    for stage in cue.stages:
        count = max(LEAST_CROWD, round(stage.channel.rate_per_s * intensity * length_s / 2))
        for delay in reaction(cue.rng, count, length_s):
            cue.line(
                stage, delay, None, mood=mostly(cue.rng, (mood, "joy", "surprise", "neutral"), (6, 2, 1, 1))
            )


def play_mood_turn(event: MoodTurn, cue: Cue) -> None:
    """Disappointed lines for a while, more than usual."""
    intensity, length_s = cue.span("intensity", event.intensity), cue.span("length_s", event.length_s)
    for stage in cue.stages:
        count = max(LEAST_CROWD, round(stage.channel.rate_per_s * intensity * length_s))
        for delay in plateau(cue.rng, count, length_s):
            cue.line(
                stage,
                delay,
                None,
                mood=mostly(cue.rng, ("loss", "sadness", "anger", "surprise"), (6, 3, 2, 0.6)),
            )


def play_friendly_raid(event: FriendlyRaid, cue: Cue) -> None:
    """The announcement, newcomers who greet and stay a little, viewers who welcome them."""
    accounts, ramp_s = cue.count("accounts", event.accounts), cue.span("ramp_s", event.ramp_s)
    announcement = cue.choice("announcement", event.announcement)
    for stage in cue.stages:
        name = newcomer(cue.rng, (200, 3000))
        emote = stage.speech.emote("joy") if event.chant else ""
        chant = f"{emote} {stage.speech.of('greet')[0]} {name.id} {emote}"
        if announcement == "bot":
            line = cue.rng.choice(stage.speech.of("raid_line")).format(
                name=name.id, n=round(accounts * cue.rng.uniform(1.5, 4))
            )
            cue.line(stage, 0, line, stage.audience.bot)
        for delay in ramp(cue.rng, accounts, ramp_s):
            guest = newcomer(cue.rng, event.age_days)
            at = delay + typing_delay(cue.rng, 3)
            chants = event.chant > 0 and cue.rng.random() < event.chant
            cue.line(stage, at, chant if chants else None, guest, "greet")
            while cue.rng.random() < 0.45:
                at += typing_delay(cue.rng, 15)
                cue.answer(stage, at, mostly(cue.rng, ("neutral", "joy", "amusement"), (3, 2, 1)), guest)
        for delay in reaction(cue.rng, max(4, accounts // 3), ramp_s):
            cue.line(stage, delay, None, mood=mostly(cue.rng, ("welcome", "joy", "surprise"), (6, 2, 1)))


def play_discovery(event: Discovery, cue: Cue) -> None:
    """Newcomers drop in one by one, say something ordinary, some stay."""
    accounts, ramp_s = cue.count("accounts", event.accounts), cue.span("ramp_s", event.ramp_s)
    for stage in cue.stages:
        for delay in ramp(cue.rng, accounts, ramp_s):
            guest, at = newcomer(cue.rng, event.age_days), delay
            cue.line(stage, at, None, guest, mostly(cue.rng, ("neutral", "joy", "surprise"), (6, 2, 1)))
            while cue.rng.random() < 0.4:
                at += typing_delay(cue.rng, 12)
                cue.answer(stage, at, mostly(cue.rng, ("neutral", "joy", "amusement"), (3, 2, 1)), guest)


def play_quarrel(event: Quarrel, cue: Cue) -> None:
    """A few regulars answer one another with insults; others look on."""
    people, count = cue.count("people", event.people), cue.count("messages", event.messages)
    length_s = cue.span("length_s", event.length_s)
    for stage in cue.stages:
        quarrellers = stage.audience.crowd(max(2, people))
        previous = quarrellers[-1]
        for delay in sorted(cue.rng.random() * length_s for _ in range(count)):
            viewer = cue.rng.choice([q for q in quarrellers if q is not previous])
            text = stage.speech.say("quarrel", viewer)
            if cue.rng.random() < 0.4:
                text = f"@{previous.id} {text}"
            cue.line(stage, delay, text, viewer)
            previous = viewer
        for _ in range(count // 6):
            cue.answer(
                stage,
                cue.rng.random() * length_s,
                mostly(cue.rng, ("surprise", "amusement", "anger"), (2, 2, 1)),
            )
