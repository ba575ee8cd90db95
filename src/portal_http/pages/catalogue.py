"""The messages that a catalogue translates, gathered from the modules and templates."""

from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir

KEYWORDS = {"N_": None, "say": None, "_": None, "ngettext": (1, 2)}
METHODS = [("**.py", "python"), ("**.html", "jinja2.ext:babel_extract")]
OPTIONS = {"**.html": {"trimmed": "false", "silent": "false", "trim_blocks": "true", "lstrip_blocks": "true"}}


def gather(*folders: Path) -> Catalog:
    """Return a catalogue of the messages in some folders, with where each one stands."""
    found = Catalog(project="customer-portal", charset="utf-8")
    for folder in folders:
        for name, line, message, comments, context in extract_from_dir(folder, METHODS, OPTIONS, KEYWORDS):
            if message:
                found.add(message, locations=[(name, line)], auto_comments=comments, context=context)
    return found
