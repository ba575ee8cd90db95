"""Write docs/reference/http.md and command-line.md from what the program says of itself. Run it as `make reference`."""

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeAlias

import click

from portal_http.cli import main as portal
from portal_http.documentation import document_of
from portal_http.endpoints import BASE
from portal_http.settings import Settings
from portal_http.wiring.links import public_url_of

FOLDER = Path(__file__).parents[1] / "docs" / "reference"
METHODS = ("get", "put", "post", "patch", "delete")

Json: TypeAlias = Mapping[str, Any]


def main() -> None:
    """Write both pages."""
    for name, lines in {"http.md": http_reference(), "command-line.md": command_line_reference()}.items():
        (FOLDER / name).write_text("\n".join(lines) + "\n", encoding="utf-8")


def http_reference() -> Iterator[str]:
    """Yield the lines of the page about the API."""
    document: Json = json.loads(document_of(public_url_of(Settings())))
    yield "# HTTP API"
    yield ""
    yield "Written by `make reference` from the description that a portal serves at `/openapi.json`; `/docs` shows the"
    yield f"same, to try out. Paths follow `{BASE}`, but for those under *Calls about the service itself*."
    yield f"Besides what is told of each, any call may be refused with {_codes(document, _everywhere(document))}."
    for tag in document["tags"]:
        yield from ("", f"## {tag['description'].rstrip('.')}")
        for path, methods in document["paths"].items():
            for method in METHODS:
                if tag["name"] in methods.get(method, {}).get("tags", ()):
                    yield from _call(document, method, path.removeprefix(BASE), methods[method])
    yield from ("", "## Shapes")
    for name, schema in document["components"]["schemas"].items():
        yield from _shape(name, schema)


def command_line_reference() -> Iterator[str]:
    """Yield the lines of the page about the commands."""
    yield "# Command line"
    yield ""
    yield "Written by `make reference` from the help texts. Results go to stdout, messages to stderr."
    yield "The exit code is 0 when all is done, 1 when input was refused, and 2 when the usage was wrong."
    for context in _contexts(portal, "portal", None):
        yield from ("", f"## {context.command_path}", "", "```text", context.get_help(), "```")


def _call(document: Json, method: str, path: str, call: Json) -> Iterator[str]:
    yield from ("", f"### {method.upper()} {path}", "", f"{call['summary']}. {call['description']}")
    parameters = [each for each in call["parameters"] if each["in"] != "path"]
    if parameters:
        yield from ("", "| parameter | | values |", "|---|---|---|")
        for each in parameters:
            where = "" if each["in"] == "query" else " (header)"
            needed = " Required." if each.get("required") else ""
            yield f"| `{each['name']}`{where} | {each['description']}{needed} | {_type(each['schema'])} |"
    if "requestBody" in call:
        yield from ("", f"Takes {_content(call['requestBody'])}.")
    yield from ("", " ".join(_answers(document, call["responses"])))


def _answers(document: Json, responses: Json) -> Iterator[str]:
    for status, response in responses.items():
        if "$ref" not in response:
            yield f"Answers {status}{', ' + _content(response) if 'content' in response else ''}."
    own = {status: each for status, each in _refusals(responses).items() if status not in _everywhere(document)}
    if own:
        yield f"Refuses with {_codes(document, own)}."


def _refusals(responses: Json) -> Json:
    return {status: response["$ref"] for status, response in responses.items() if "$ref" in response}


def _everywhere(document: Json) -> Json:
    """Return the refusals that are the same wherever one asks."""
    calls = [_refusals(call["responses"]) for methods in document["paths"].values() for call in methods.values()]
    return {status: ref for status, ref in calls[0].items() if all(each.get(status) == ref for each in calls)}


def _codes(document: Json, refusals: Json) -> str:
    return "; ".join(f"{status} {' '.join(_codes_of(document, ref))}" for status, ref in refusals.items())


def _codes_of(document: Json, ref: str) -> Iterator[str]:
    (told,) = document["components"]["responses"][ref.rpartition("/")[2]]["content"].values()
    problem = document["components"]["schemas"][told["schema"]["$ref"].rpartition("/")[2]]
    yield from (f"`{each}`" for each in problem["allOf"][1]["properties"]["code"]["enum"])


def _content(told: Json) -> str:
    return " or ".join(
        f"`{media_type}`" if schema.get("type") == "string" else _type(schema)
        for media_type, schema in ((name, each["schema"]) for name, each in told["content"].items())
    )


def _shape(name: str, schema: Json) -> Iterator[str]:
    yield from ("", f"### {name}")
    if "description" in schema:
        yield from ("", schema["description"])
    if "properties" not in schema:
        yield from ("", _type(schema))
        return
    yield from ("", "| field | | |", "|---|---|---|")
    for field, each in schema["properties"].items():
        always = "" if field in schema.get("required", ()) else "may be absent"
        yield f"| `{field}` | {_type(each)} | {always} |"


def _type(schema: Json) -> str:
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    if "enum" in schema:
        return " ".join(f"`{each}`" for each in schema["enum"])
    for several in ("anyOf", "allOf", "oneOf"):
        if several in schema:
            return " or ".join(_type(each) for each in schema[several])
    match schema.get("type"):
        case "array":
            return f"list of {_type(schema['items'])}"
        case "object" if "properties" in schema:
            return ", ".join(f"`{name}`: {_type(each)}" for name, each in schema["properties"].items())
        case kind:
            return " ".join(_words(kind, schema))


def _words(kind: object, schema: Json) -> Iterable[str]:
    yield str(schema.get("format", kind or "anything"))
    if "minimum" in schema:
        yield f"≥ {schema['minimum']}"
    if "maximum" in schema:
        yield f"≤ {schema['maximum']}"
    if "maxLength" in schema:
        yield f"of at most {schema['maxLength']:,} characters"
    if schema.get("default") is not None:
        yield f"(without it: `{schema['default']}`)"


def _contexts(command: click.Command, name: str, parent: click.Context | None) -> Iterator[click.Context]:
    """Yield the contexts in which a command and those below it are called: they decide how help is asked for."""
    settings: dict[str, Any] = {**command.context_settings, "terminal_width": 100}
    context = click.Context(command, info_name=name, parent=parent, **settings)
    yield context
    if isinstance(command, click.Group):
        for below in sorted(command.commands):
            yield from _contexts(command.commands[below], below, context)


if __name__ == "__main__":
    main()
