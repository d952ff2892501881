"""`pulse moderate`: act on a Twitch chat, after a person's approval."""

import asyncio
import getpass
import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Annotated, Any, NoReturn

import httpx
import typer
from pydantic import ValidationError
from rich.console import Console

from connectors.core.clock import SystemClock
from connectors.core.pseudonym_keys import PseudonymKeyError, load_pseudonyms
from connectors.core.sealing import load_sealer
from connectors.twitch.approvals import ApprovalError, Approvals, Proposal
from connectors.twitch.credentials import CredentialsError, UserToken, user_token
from connectors.twitch.helix import Helix, HelixError
from connectors.twitch.moderation import ACTION, perform, preview
from connectors.twitch.settings import TwitchSettings
from schemas.endpoints import Endpoints

app = typer.Typer(add_completion=False, no_args_is_help=True)
_errors = Console(stderr=True, highlight=False)

Channel = Annotated[str, typer.Argument(help="Name as in twitch.tv/NAME.")]
User = Annotated[str, typer.Argument(help="The person's name.")]
Why = Annotated[str, typer.Option("--reason", help="Told to the person; at most 500 characters.")]
Workspace = Annotated[str, typer.Option(help="Whose action it is.")]
Who = Annotated[str, typer.Option("--by", help="Who you are, for the audit log; your login by default.")]
Id = Annotated[str, typer.Argument(help="Id of the action, as `list` shows it.")]


@app.callback()
def main() -> None:
    """Moderate a Twitch chat: propose an action, look at it, approve it.

    Nothing is sent before `approve ID --execute`. A proposal lapses after 24 hours; the people's names in it
    are encrypted and forgotten once it is settled. The audit log (`log`) keeps what was proposed, approved
    and done, by whom, with pseudonyms. Twitch asks for a moderator's token (PULSE_TWITCH_TOKEN, or a private
    file by PULSE_TWITCH_TOKEN_FILE) with the scope of the action, e.g. moderator:manage:banned_users.
    """


@app.command()
def timeout(
    channel: Channel,
    user: User,
    seconds: Annotated[int, typer.Option(help="How long; at most 1,209,600 (two weeks).")] = 600,
    reason: Why = "",
    workspace: Workspace = "default",
    by: Who = "",
) -> None:
    """Propose to silence a person for a while."""
    _propose(workspace, by, kind="timeout", channel=channel, user=user, seconds=seconds, reason=reason)


@app.command()
def ban(
    channel: Channel, user: User, reason: Why = "", workspace: Workspace = "default", by: Who = ""
) -> None:
    """Propose to bar a person for good."""
    _propose(workspace, by, kind="ban", channel=channel, user=user, reason=reason)


@app.command()
def unban(channel: Channel, user: User, workspace: Workspace = "default", by: Who = "") -> None:
    """Propose to take a ban or timeout back."""
    _propose(workspace, by, kind="unban", channel=channel, user=user)


@app.command()
def delete(
    channel: Channel,
    message_id: Annotated[str, typer.Argument(help="Id of the line, as in the evidence of an alert.")],
    workspace: Workspace = "default",
    by: Who = "",
) -> None:
    """Propose to remove one line, at most six hours old."""
    _propose(workspace, by, kind="delete", channel=channel, message_id=message_id)


@app.command()
def slow(
    channel: Channel,
    seconds: Annotated[int, typer.Argument(help="3 to 120; 0 ends it.")],
    workspace: Workspace = "default",
    by: Who = "",
) -> None:
    """Propose a pause between two lines of a person."""
    _propose(workspace, by, kind="slow", channel=channel, seconds=seconds)


@app.command("followers-only")
def followers_only(
    channel: Channel,
    minutes: Annotated[int, typer.Argument(help="Have followed for so long; 0 is any follower.")] = 0,
    off: Annotated[bool, typer.Option("--off", help="End it.")] = False,
    workspace: Workspace = "default",
    by: Who = "",
) -> None:
    """Propose that only followers may write."""
    _propose(workspace, by, kind="followers-only", channel=channel, minutes=None if off else minutes)


@app.command()
def shield(
    channel: Channel,
    off: Annotated[bool, typer.Option("--off", help="End it.")] = False,
    workspace: Workspace = "default",
    by: Who = "",
) -> None:
    """Propose Twitch's shield mode."""
    _propose(workspace, by, kind="shield", channel=channel, active=not off)


@app.command()
def announce(
    channel: Channel,
    text: Annotated[str, typer.Argument(help="At most 500 characters.")],
    color: Annotated[str, typer.Option(help="primary, blue, green, orange or purple.")] = "primary",
    workspace: Workspace = "default",
    by: Who = "",
) -> None:
    """Propose a highlighted line to everybody."""
    _propose(workspace, by, kind="announce", channel=channel, text=text, color=color)


@app.command("list")
def list_() -> None:
    """Show what waits for a decision, one JSON object a line."""
    with _opened() as approvals:
        for proposal in approvals.waiting():
            _show(proposal, "proposed")


@app.command()
def approve(
    action_id: Id,
    execute: Annotated[bool, typer.Option("--execute", help="Send it; else it is only shown.")] = False,
    by: Who = "",
) -> None:
    """Show what would be sent to Twitch, and with --execute send it, once."""
    who = by or getpass.getuser()
    with _opened() as approvals:
        proposal = approvals.proposal(action_id)
        if not execute:
            approvals.previewed(proposal, who)
            _show(proposal, "dry run: nothing was sent; --execute sends it")
            return
        settings = TwitchSettings()
        token = user_token(settings)  # a missing token leaves the proposal as it is
        approvals.claim(proposal, who)
        try:
            asyncio.run(_send(settings, token, proposal))
        except (HelixError, CredentialsError) as error:
            approvals.settle(proposal, who, str(error))
            raise
        approvals.settle(proposal, who, None)
        _show(proposal, "done")


@app.command()
def reject(
    action_id: Id,
    reason: Annotated[str, typer.Option("--reason", help="For the audit log.")] = "",
    by: Who = "",
) -> None:
    """Refuse a proposal."""
    with _opened() as approvals:
        approvals.reject(approvals.proposal(action_id), by or getpass.getuser(), reason)


@app.command()
def log(limit: Annotated[int, typer.Option(min=1, help="The newest so many.")] = 50) -> None:
    """Show the audit log, oldest first, one JSON object a line."""
    with _opened() as approvals:
        for entry in approvals.log(limit):
            at = datetime.fromtimestamp(entry.at / 1000, UTC).isoformat(timespec="seconds")
            typer.echo(json.dumps(entry._asdict() | {"at": at}, ensure_ascii=False))


def _propose(workspace: str, by: str, **fields: Any) -> None:
    try:
        action = ACTION.validate_python(fields)
    except ValidationError as error:
        wrong = "; ".join(f"{found['loc'][-1]}: {found['msg']}" for found in error.errors())
        raise typer.BadParameter(wrong) from None
    with _opened() as approvals:
        pseudonyms = load_pseudonyms(workspace, "twitch", Endpoints().pulse_home)
        action_id = approvals.propose(workspace, action, by or getpass.getuser(), pseudonyms)
        _show(approvals.proposal(action_id), f"proposed: `pulse moderate approve {action_id}` shows it again")


async def _send(settings: TwitchSettings, token: UserToken, proposal: Proposal) -> None:
    async with httpx.AsyncClient(timeout=settings.open_timeout_s) as http:
        helix = Helix(token, http, SystemClock(), api_url=settings.api_url, auth_url=settings.auth_url)
        await perform(helix, proposal.action)


def _show(proposal: Proposal, status: str) -> None:
    told = {
        "id": proposal.id,
        "status": status,
        "action": proposal.action.model_dump(exclude_none=True),
        "request": preview(proposal.action)._asdict(),
    }
    typer.echo(json.dumps(told, ensure_ascii=False))


@contextmanager
def _opened() -> Iterator[Approvals]:
    """The file of the actions; what goes wrong with them is told in one sentence."""
    try:
        home = Endpoints().pulse_home
        approvals = Approvals(home / "moderation" / "actions.sqlite", load_sealer(home), SystemClock())
        try:
            yield approvals
        finally:
            approvals.close()
    except ValidationError as error:
        # the values stay out: one of them may be the token
        wrong = "; ".join(f"{'.'.join(map(str, found['loc']))}: {found['msg']}" for found in error.errors())
        _fail(f"settings PULSE_TWITCH_…: {wrong}")
    except (ApprovalError, CredentialsError, HelixError, PseudonymKeyError, OSError) as error:
        _fail(str(error))


def _fail(sentence: str) -> NoReturn:
    _errors.print(f"[red]pulse moderate failed:[/red] {sentence}", soft_wrap=True)
    raise typer.Exit(1) from None
