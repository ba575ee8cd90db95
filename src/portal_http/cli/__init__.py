"""The command line: results go to stdout, messages to stderr; it exits with 0 done, 1 refused, 2 wrong usage."""

import click

from portal_http.cli.erasing import erase
from portal_http.cli.links import token
from portal_http.cli.records import attach, export, import_
from portal_http.cli.serving import deliver, demo, serve
from portal_http.cli.staff import admin_token, audit, verify
from portal_http.cli.upkeep import doctor, migrate, openapi, prune
from portal_http.cli.webhooks import webhook

_COMMANDS = (
    admin_token,
    attach,
    audit,
    deliver,
    demo,
    doctor,
    erase,
    export,
    import_,
    migrate,
    openapi,
    prune,
    serve,
    token,
    verify,
    webhook,
)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="customer-portal", prog_name="portal")
def main() -> None:
    """Share quotes, orders, deliveries, invoices and payments with clients behind a link.

    Settings come from PORTAL_* environment variables, or from portal.toml in the working directory.
    `portal demo` shows what it is about.
    """


for _command in _COMMANDS:
    main.add_command(_command)
