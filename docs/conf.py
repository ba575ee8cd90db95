"""How the documentation becomes a site: `make docs`."""

import re
from importlib.metadata import version as version_of

from sphinx.application import Sphinx

project = "Customer portal"
version = release = version_of("customer-portal")
extensions = ["myst_parser", "sphinx.ext.autodoc"]
html_theme = "furo"
html_title = "Customer portal"
root_doc = "index"
exclude_patterns = ["conf.py"]
myst_heading_anchors = 3
autodoc_member_order = "bysource"
autodoc_typehints = "description"

_LINKED = re.compile(r"\]\(((?!\.\.)[\w./-]+)\.md\)")


def add_contents(_: Sphinx, page: str, source: list[str]) -> None:
    """Put the pages that an overview links to into the navigation, in that order: no list is kept twice."""
    if page == "index" or page.endswith("README"):
        linked = "\n".join(dict.fromkeys(_LINKED.findall(source[0])))
        source[0] += f"\n\n```{{toctree}}\n:hidden:\n\n{linked}\n```\n"


def setup(app: Sphinx) -> None:
    """Take part in the reading of every page."""
    app.connect("source-read", add_contents)
