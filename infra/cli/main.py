"""The command line `pulse`: a lazy table of commands, so that `--help` does not import Flink or Ray."""

import importlib
import importlib.metadata
from typing import Annotated, Any

import typer
import typer.main
from typer.core import TyperGroup

COMMANDS: dict[str, tuple[str, str]] = {
    "demo": ("infra.cli.demo:app", "Start everything, replay a recording, say where to look."),
    "up": ("infra.cli.stack:up", "Start the stack on this machine."),
    "down": ("infra.cli.stack:down", "Stop the stack; loses nothing."),
    "status": ("infra.cli.stack:status", "Which parts run, since when, and how far behind they are."),
    "doctor": ("infra.cli.stack:doctor", "Check this machine and the stack; say what to do."),
    "setup": ("infra.cli.setup:app", "Install everything that is missing, start nothing."),
    "score": ("infra.cli.score:app", "Score chat lines from a file or pipe, without servers."),
    "detect": (
        "infra.cli.detect:app",
        "Find floods, raids and mood turns in recorded chat, without servers.",
    ),
    "replay": ("infra.cli.replay:app", "Feed recorded chat into the running stack."),
    "connect": ("infra.cli.connect:app", "Feed live chat into the running stack."),
    "channels": ("infra.cli.channels:app", "The list of channels that are listened to."),
    "moderate": ("infra.cli.moderate:app", "Act on a Twitch chat, after approval."),
    "import": ("infra.cli.import_chat:app", "Turn chat exports of other tools into recorded chat."),
    "simulate": ("infra.cli.simulate:app", "Write or feed simulated chat by a scenario."),
    "sql": ("infra.cli.sql:app", "Query the store."),
    "topics": ("infra.cli.topics:app", "Create and reconcile Kafka topics."),
    "migrate": ("infra.cli.migrate:app", "Apply ClickHouse migrations."),
    "dlq": ("infra.cli.dlq:app", "List and re-inject dead letters."),
    "erase": ("infra.cli.erase:app", "Forget a person, once or for good."),
    "notify": ("infra.cli.notify:app", "Tell people of alerts, by webhook and Telegram."),
    "model": ("infra.cli.model:app", "Show and change the model that the running stack scores with."),
    "shadow": ("infra.cli.shadow:app", "Compare a candidate model with the one in service on live chat."),
    "opinion": (
        "infra.cli.opinion:app",
        "A language model's second opinion on uncertain lines; off by default.",
    ),
    "mark": ("infra.cli.mark:app", "Say that an alert was right or wrong, or mute its kind."),
    "marks": ("infra.cli.marks:app", "Precision of alerts by people's marks; marks as training labels."),
    "playbook": ("infra.cli.playbook:app", "What to do about an alert, and why."),
    "train": ("infra.cli.train:app", "Train the scoring model."),
    "evaluate": ("infra.cli.evaluate:app", "Evaluate a model on the labelled test sets."),
    "dashboards": ("infra.cli.dashboards:app", "Build Grafana dashboards and push them."),
    "bench": ("infra.cli.bench:app", "Benchmarks; each prints one JSON line."),
    "test": ("infra.cli.test:app", "Run the tests, with all the set-up they need."),
}


class LazyGroup(TyperGroup):
    """A command group that imports a command's module only when that command is called."""

    def list_commands(self, ctx: Any) -> list[str]:
        """The commands in the order in which a newcomer meets them."""
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Import and return one command; None where there is none of that name."""
        if cmd_name not in COMMANDS:
            return None
        module, attribute = COMMANDS[cmd_name][0].split(":")
        command: Any = getattr(importlib.import_module(module), attribute)
        if isinstance(command, typer.Typer):
            command = typer.main.get_command(command)
        command.name = cmd_name
        return command

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """List the commands from the table, without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, help_) for name, (_, help_) in COMMANDS.items()])


# Plain help here: the rich one would import every command to describe it.
app = typer.Typer(
    cls=LazyGroup, rich_markup_mode=None, context_settings={"help_option_names": ["-h", "--help"]}
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"pulse {importlib.metadata.version('pulse-chat')}")
        raise typer.Exit


@app.callback(no_args_is_help=True)
def root(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Pulse: how live-stream audiences feel, and a warning before floods, raids and mood turns do damage."""


def main() -> None:
    """Entry point of `pulse`."""
    app(prog_name="pulse")


if __name__ == "__main__":
    main()
