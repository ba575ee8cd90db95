"""The OpenAPI 3.1 document, worked out of the table that also routes the requests."""

import inspect
from collections.abc import Iterable, Mapping
from importlib.metadata import version
from typing import Any, TypeAlias, cast

from msgspec.json import schema_components

from portal_core.domain.errors import (
    Busy,
    DeadLink,
    IdempotencyInFlight,
    IdempotencyMismatch,
    InvalidInput,
    PermissionDenied,
    Refusal,
)
from portal_core.domain.records import RecordType
from portal_core.domain.tokens import PATTERN
from portal_http.endpoints import BASE, ClientEndpoint, Endpoint, OpenEndpoint, StaffEndpoint
from portal_http.errors import (
    STATUSES,
    FieldsTooLarge,
    InternalError,
    InvalidHost,
    InvalidJson,
    MethodNotAllowed,
    PayloadTooLarge,
    ProblemShape,
    RateLimited,
    Unauthorized,
    UnsupportedMediaType,
    status_of,
)
from portal_http.queries import ID_PATTERN, Parameter
from portal_http.shapes import PageMeta

Json: TypeAlias = dict[str, Any]

_PLACE = "#/components/schemas/"
_REF = _PLACE + "{name}"
_SUFFIX = "Shape"
_BODY_REFUSALS = (PayloadTooLarge, UnsupportedMediaType, InvalidJson, InvalidInput)
_UPLOAD_REFUSALS = (PayloadTooLarge, UnsupportedMediaType)
_ALWAYS = (InvalidHost, MethodNotAllowed, FieldsTooLarge, InternalError)

_ABOUT = """\
What a business shares with its clients: quotes, orders, deliveries, invoices, payments, a statement of account and \
feedback.

A client's calls carry the token of their link in the path. Staff's calls carry a JSON Web Token of their company's. \
Refusals are problem details (RFC 9457); `code` says which rule was broken, `errors` name every field that is wrong."""

_FIELDS: Mapping[str, Json] = {
    "ETag": {
        "description": "The revision of a quote, or the SHA-256 of a file.",
        "schema": {"type": "string", "pattern": '^"([1-9][0-9]*|[0-9a-f]{64})"$'},
    },
    "Content-Disposition": {
        "description": "Under which name the file is to be kept.",
        "schema": {"type": "string", "pattern": "^attachment; "},
    },
    "Allow": {"description": "The methods that the address takes.", "schema": {"type": "string"}},
    "WWW-Authenticate": {"description": "How to prove who asks.", "schema": {"type": "string", "pattern": "^Bearer"}},
    "Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer", "minimum": 1}},
    "Idempotency-Replayed": {
        "description": "This answer was given before, to the same request.",
        "schema": {"type": "string", "enum": ["true"]},
    },
    "X-RateLimit-Limit": {"description": "Requests in a minute.", "schema": {"type": "integer", "minimum": 1}},
    "X-RateLimit-Remaining": {"description": "Requests that remain.", "schema": {"type": "integer", "minimum": 0}},
    "X-RateLimit-Reset": {
        "description": "When the oldest request leaves the window, in seconds since the epoch.",
        "schema": {"type": "integer", "minimum": 0},
    },
    "RateLimit-Policy": {"description": "The budget, its quota and window.", "schema": {"type": "string"}},
    "RateLimit": {"description": "What remains of the budget, and for how long.", "schema": {"type": "string"}},
}
_ID: Json = {"type": "string", "pattern": ID_PATTERN}
_PLACES: Mapping[str, Json] = {
    "token": {"type": "string", "pattern": f"^{PATTERN}$"},
    "record_type": {"type": "string", "enum": [each.value for each in RecordType]},
}
_LIMIT_FIELDS = ("X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset", "RateLimit-Policy", "RateLimit")

_REQUEST_FIELDS: Mapping[str, Json] = {
    "If-Match": {
        "description": "The revision that was seen, as its entity tag.",
        "schema": {"type": "string", "pattern": '^"[1-9][0-9]{0,8}"$'},
    },
    "Idempotency-Key": {
        "description": "Bare or in double quotes; a request that is sent again under it is done once.",
        "schema": {"type": "string", "pattern": r'^("[!#-\[\]-~]{1,255}"|[!#-~]{1,255})$'},
    },
    "X-Company-Id": {
        "description": "Which company is meant, for tokens of several.",
        "schema": {"type": "string", "pattern": ID_PATTERN},
    },
}


def openapi_document(endpoints: Iterable[Endpoint], *, server: str) -> Json:
    """Return the document of some endpoints, as they are reached below a server's address or a prefix."""
    listed = list(endpoints)
    paths: dict[str, Json] = {}
    for endpoint in listed:
        paths.setdefault(endpoint.path, {})[endpoint.method.lower()] = _operation(endpoint)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Customer portal",
            "version": version("customer-portal"),
            "description": _ABOUT,
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": server}],
        "tags": [{"name": name, "description": text} for name, text in _TAGS.items()],
        "paths": paths,
        "components": {
            "schemas": _schemas(listed) | _envelope_schemas(listed) | _problem_schemas(listed),
            "responses": _refused_responses(listed),
            "headers": dict(_FIELDS),
            "securitySchemes": {"staff": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}},
        },
    }


_TAGS = {
    "client": "Calls by clients, who hold a link.",
    "staff": "Calls by staff and by systems of the company.",
    "service": "Calls about the service itself.",
}


def _operation(endpoint: Endpoint) -> Json:
    operation: Json = {
        "operationId": _operation_id(endpoint),
        "summary": endpoint.summary,
        "description": _needs(endpoint),
        "tags": [_tag(endpoint)],
        "parameters": list(_parameters(endpoint)),
        "responses": _responses(endpoint),
        "security": [{"staff": []}] if isinstance(endpoint, StaffEndpoint) else [],
    }
    if endpoint.body is not None:
        operation["requestBody"] = {
            "required": _is_required(endpoint.body),
            "content": {"application/json": {"schema": _ref(endpoint.body)}},
        }
    if endpoint.upload is not None:
        form: Json = {"schema": dict(endpoint.upload.schema)}
        if endpoint.upload.example is not None:
            form["example"] = endpoint.upload.example
        content = dict.fromkeys(endpoint.upload.media_types, form)
        operation["requestBody"] = {"required": True, "content": content}
    return operation


def _needs(endpoint: Endpoint) -> str:
    match endpoint:
        case ClientEndpoint(permissions=()):
            return "Needs a link that works."
        case ClientEndpoint():
            return "Needs a link with " + " and ".join(f"`{each}`" for each in endpoint.permissions) + "."
        case StaffEndpoint():
            scopes = "`portal:read` or `portal:admin`" if endpoint.method == "GET" else "`portal:admin`"
            return f"Needs a JWT with the scope {scopes}."
        case _:
            return "Needs nothing."


def _operation_id(endpoint: Endpoint) -> str:
    parts = [part.strip("{}") for part in endpoint.path.removeprefix(BASE).split("/") if part]
    return "_".join([endpoint.method.lower(), *parts]).replace(".", "_")


def _tag(endpoint: Endpoint) -> str:
    match endpoint:
        case ClientEndpoint():
            return "client"
        case StaffEndpoint():
            return "staff"
        case _:
            return "service"


def _is_required(body: Any) -> bool:  # noqa: ANN401 - any request at all
    return bool(_component(body).get("required"))


def _parameters(endpoint: Endpoint) -> Iterable[Json]:
    for segment in endpoint.path.split("/"):
        if segment.startswith("{"):
            name = segment.strip("{}")
            yield {"name": name, "in": "path", "required": True, "schema": _PLACES.get(name, _ID)}
    for parameter in endpoint.query.values():
        yield _query_parameter(parameter)
    fields = list(endpoint.headers)
    if endpoint.method == "POST":
        fields.append("Idempotency-Key")
    if isinstance(endpoint, StaffEndpoint):
        fields.append("X-Company-Id")
    for name in fields:
        yield {"name": name, "in": "header", **_REQUEST_FIELDS[name]}


def _query_parameter(parameter: Parameter[Any]) -> Json:
    shape: Json = {
        "name": parameter.name,
        "in": "query",
        "description": parameter.description,
        "schema": dict(parameter.schema),
    }
    if parameter.required:
        shape["required"] = True
    if parameter.many:
        shape |= {"style": "form", "explode": False}
    return shape


def _responses(endpoint: Endpoint) -> Json:
    statuses = (endpoint.result.status, endpoint.result.else_status)
    responses: Json = {str(status.value): _success(endpoint) for status in statuses if status is not None}
    for status, kinds in _refused(endpoint):
        responses[str(status)] = {"$ref": f"#/components/responses/{_name_of(kinds)}"}
    return responses


def _refusals(endpoint: Endpoint) -> Iterable[type[Refusal]]:
    yield from _ALWAYS
    yield from endpoint.refusals
    if isinstance(endpoint, OpenEndpoint):
        return
    yield from (InvalidInput, Busy)
    if endpoint.body is not None:
        yield from _BODY_REFUSALS
    if endpoint.upload is not None:
        yield from _UPLOAD_REFUSALS
    if endpoint.method == "POST":
        yield from (IdempotencyMismatch, IdempotencyInFlight)
    if isinstance(endpoint, ClientEndpoint):
        yield from (DeadLink, RateLimited)
    else:
        yield from (Unauthorized, PermissionDenied, RateLimited)
    if endpoint.noun:
        yield DeadLink
    if isinstance(endpoint, ClientEndpoint) and endpoint.permissions:
        yield PermissionDenied


def _success(endpoint: Endpoint) -> Json:
    result = endpoint.result
    fields = list(result.fields)
    if isinstance(endpoint, ClientEndpoint):
        fields += _LIMIT_FIELDS
    if endpoint.method == "POST":
        fields.append("Idempotency-Replayed")
    response: Json = {"description": endpoint.summary, "headers": {name: _field(name) for name in fields}}
    if result.envelope == "file":
        response["content"] = {result.media_type: {"schema": {"type": "string"}}}
    elif result.envelope != "nothing":
        response["content"] = {result.media_type: {"schema": _enveloped(endpoint)}}
    return response


def _enveloped(endpoint: Endpoint) -> Json:
    if not endpoint.result.shapes:
        return {"type": "string"}
    named = [{"$ref": _REF.format(name=name)} for name, _ in _envelopes(endpoint)]
    return _any_of(named or [_ref(shape) for shape in endpoint.result.shapes])


def _envelopes(endpoint: Endpoint) -> Iterable[tuple[str, Json]]:
    """Yield what an endpoint wraps its shapes in, each under a name that a generated client has a class by."""
    result = endpoint.result
    name = "Or".join(shape.__name__.removesuffix(_SUFFIX) for shape in result.shapes)
    shape = _any_of([_ref(shape) for shape in result.shapes])
    if result.envelope in ("one", "either"):
        yield f"{name}Answer", _object(data=shape)
    if result.envelope in ("many", "either"):
        yield f"{name}Page", _object(data={"type": "array", "items": shape}, meta=_ref(PageMeta))


def _envelope_schemas(endpoints: Iterable[Endpoint]) -> Json:
    return dict(sorted(each for endpoint in endpoints for each in _envelopes(endpoint)))


def _any_of(schemas: list[Json]) -> Json:
    return schemas[0] if len(schemas) == 1 else {"anyOf": schemas}


def _object(**properties: Json) -> Json:
    return {"type": "object", "properties": properties, "required": list(properties)}


def _refused(endpoint: Endpoint) -> Iterable[tuple[int, frozenset[type[Refusal]]]]:
    """Yield the statuses that an endpoint may refuse with, each with what it may mean."""
    by_status: dict[int, set[type[Refusal]]] = {}
    for refusal in _refusals(endpoint):
        by_status.setdefault(status_of(refusal).code.value, set()).add(refusal)
    for status, kinds in sorted(by_status.items()):
        yield status, frozenset(kinds)


def _all_refused(endpoints: Iterable[Endpoint]) -> Mapping[str, tuple[int, frozenset[type[Refusal]]]]:
    found = {_name_of(kinds): (status, kinds) for endpoint in endpoints for status, kinds in _refused(endpoint)}
    return {name: found[name] for name in sorted(found)}


def _codes_of(kinds: Iterable[type[Refusal]]) -> list[str]:
    return sorted({kind.code for kind in kinds})


def _name_of(kinds: Iterable[type[Refusal]]) -> str:
    return "_or_".join(_codes_of(kinds))


def _problem_name(refused_name: str) -> str:
    return refused_name.title().replace("_", "") + "Problem"


def _refused_responses(endpoints: Iterable[Endpoint]) -> Json:
    return {name: _refused_response(name, kinds) for name, (_, kinds) in _all_refused(endpoints).items()}


def _refused_response(name: str, kinds: frozenset[type[Refusal]]) -> Json:
    fields = {
        "Allow": MethodNotAllowed in kinds,
        "WWW-Authenticate": Unauthorized in kinds,
        "Retry-After": bool(kinds & {RateLimited, Busy, IdempotencyInFlight}),
    }
    schema = {"$ref": _REF.format(name=_problem_name(name))}
    return {
        "description": " or ".join(sorted({status_of(kind).title for kind in kinds})),
        "headers": {name: _field(name) for name, is_sent in fields.items() if is_sent},
        "content": {"application/problem+json": {"schema": schema}},
    }


def _problem_schemas(endpoints: Iterable[Endpoint]) -> Json:
    """Return the problem documents of all refusals: which status and which codes each of them has."""
    schemas: Json = {}
    for name, (status, kinds) in _all_refused(endpoints).items():
        status_schema = {"type": "integer", "enum": [status]}
        code_schema = {"type": "string", "enum": _codes_of(kinds)}
        narrowed = {"type": "object", "properties": {"status": status_schema, "code": code_schema}}
        schemas[_problem_name(name)] = {"allOf": [_ref(ProblemShape), narrowed]}
    return schemas


def _field(name: str) -> Json:
    return {"$ref": f"#/components/headers/{name}"}


def _schemas(endpoints: Iterable[Endpoint]) -> Json:
    kinds: dict[Any, None] = {ProblemShape: None, PageMeta: None}
    for endpoint in endpoints:
        kinds |= dict.fromkeys(endpoint.result.shapes)
        if endpoint.body is not None:
            kinds[endpoint.body] = None
    requests = {endpoint.body for endpoint in endpoints if endpoint.body is not None}
    _, found = schema_components(list(kinds), ref_template=_REF)
    _, asked = schema_components(list(requests), ref_template=_REF)
    schemas = {name: _plain(schema, closed=name in asked) for name, schema in found.items()}
    schemas["ProblemShape"]["properties"]["code"] = {"type": "string", "enum": sorted({kind.code for kind in STATUSES})}
    shown = {name.removesuffix(_SUFFIX): schema for name, schema in sorted(schemas.items())}
    if len(shown) < len(schemas):
        raise ValueError(f"two schemas have one name: {sorted(name for name in schemas if name + _SUFFIX in schemas)}")
    return cast("Json", _renamed(shown))


def _plain(schema: Json, *, closed: bool) -> Json:
    plain = {name: value for name, value in schema.items() if name != "title"}
    if "description" in plain:
        plain["description"] = inspect.cleandoc(plain["description"])
    if closed and plain.get("type") == "object":
        plain["additionalProperties"] = False
    return plain


def _ref(kind: Any) -> Json:  # noqa: ANN401 - any shape at all
    return {"$ref": _REF.format(name=kind.__name__.removesuffix(_SUFFIX))}


def _renamed(value: Any) -> Any:  # noqa: ANN401 - any JSON at all
    if isinstance(value, dict):
        return {name: _renamed(each) for name, each in cast("Json", value).items()}
    if isinstance(value, list):
        return [_renamed(each) for each in cast("list[object]", value)]
    return value.removesuffix(_SUFFIX) if isinstance(value, str) and value.startswith(_PLACE) else value


def _component(kind: Any) -> Json:  # noqa: ANN401 - any shape at all
    return cast("Json", schema_components([kind], ref_template=_REF)[1][kind.__name__])
