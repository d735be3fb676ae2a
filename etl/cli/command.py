"""The command of which all others are parts, and what they share: how errors are told, and what arguments are."""

import io
import logging
import sys
from pathlib import Path
from typing import Any

import click
import psycopg
from sqlalchemy.exc import DBAPIError

import etl
from etl.cli.screen import say
from etl.errors import Failure, Misconfigured, Stop

mailboxes_option = click.option(
    "--mailboxes",
    type=click.Path(path_type=Path),
    envvar="POPVAULT_MAILBOXES",
    required=True,
    help="The mailboxes file (TOML).",
)


class Commands(click.Group):
    """Shows a Failure as its sentence, with the exit code it means, and never a traceback."""

    def invoke(self, context: click.Context) -> Any:
        """Run the command."""
        try:
            return super().invoke(context)
        except Misconfigured as error:
            _complain(error, 2)
        except Failure as error:
            _complain(error, 1)
        except click.UsageError as error:
            asked = error.ctx.command_path if error.ctx else "popvault"
            _complain(Misconfigured(f"{error.format_message().rstrip('.')}; see {asked} --help"), 2)
        except (DBAPIError, psycopg.Error) as error:
            # The first line of Postgres's own words; with the statement it would be a traceback in disguise.
            cause = getattr(error, "orig", error)
            words = (str(cause).strip().splitlines() or ["no reason given"])[0]
            if isinstance(cause, psycopg.errors.InsufficientPrivilege):
                _complain(Stop(f"this login may not do that: {words}; see Rights in the README"), 1)
            _complain(Stop(f"the database refused: {words}; is POPVAULT_DATABASE_URL right?"), 1)
        except BrokenPipeError:
            raise  # click knows what to do when nobody reads on
        except OSError as error:
            _complain(Stop(f"{error.filename or 'the system'}: {error.strerror or error}"), 1)


class Words(click.ParamType[str]):
    """Text that a database can be asked for."""

    name = "text"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The text, unless it holds bytes that are none."""
        try:
            str(value).encode()
        except UnicodeEncodeError:
            self.fail("it is not UTF-8", param, ctx)
        return str(value)


def _complain(error: Failure, code: int) -> None:
    say(f"popvault: {error}", err=True)
    sys.exit(code)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(etl.__version__, prog_name="popvault")
@click.option(
    "-v", "--verbose", is_flag=True, help="Tell of each event, with run, mailbox and UIDL, on standard error."
)
def main(verbose: bool) -> None:
    """Archive POP3 mailboxes into Postgres, provably whole."""
    for stream in (sys.stdout, sys.stderr):
        # A terminal that cannot show a character shows another; the command goes on.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    # What a person needs, the commands print themselves; the log is for whoever wants to see it happen.
    level = logging.INFO if verbose else logging.CRITICAL
    logging.basicConfig(level=level, format="%(asctime)s %(levelname)s %(name)s %(message)s", stream=sys.stderr)
