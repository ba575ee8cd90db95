"""From a path to its endpoints: one dictionary lookup for each of its segments."""

from collections.abc import Iterable, Sequence

from attrs import define, field

from portal_http.endpoints import Endpoint


@define
class Node:
    """A place in the tree of paths: what follows it, and the endpoints that it is itself, by method."""

    path: str = ""
    named: dict[str, "Node"] = field(factory=dict[str, "Node"])
    filled: "Node | None" = None
    endpoints: dict[str, Endpoint] = field(factory=dict[str, Endpoint])

    def below(self, segment: str) -> "Node":
        """Return the place of a segment of a declared path, made if it is new."""
        if not segment.startswith("{"):
            return self.named.setdefault(segment, Node())
        self.filled = self.filled or Node()
        return self.filled

    @property
    def allowed(self) -> str:
        """The methods that it takes, as the field Allow lists them."""
        methods = {*self.endpoints, "HEAD"} if "GET" in self.endpoints else set(self.endpoints)
        return ", ".join(sorted(methods))


def tree_of(endpoints: Iterable[Endpoint]) -> Node:
    """Return the tree of all paths."""
    root = Node()
    for endpoint in endpoints:
        place = root
        for segment in endpoint.path.split("/")[1:]:
            place = place.below(segment)
        place.path = endpoint.path
        if endpoint.method in place.endpoints:
            raise ValueError(f"{endpoint.method} {endpoint.path} is declared twice")
        place.endpoints[endpoint.method] = endpoint
    return root


def find(root: Node, path: str) -> tuple[Node, Sequence[str]] | None:
    """Return the place of a path and what fills it in, or nothing for a path that there is not."""
    if not path.isascii():
        return None
    place: Node | None = root
    filled: list[str] = []
    for segment in path.split("/")[1:]:
        if place is None:
            return None
        found = place.named.get(segment)
        if found is None:
            found = place.filled if segment else None
            filled.append(segment)
        place = found
    if place is None or not place.endpoints:
        return None
    return place, filled
