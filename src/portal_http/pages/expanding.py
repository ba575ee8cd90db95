"""Macros, put in the place of their calls before a template is compiled: to call one costs more than what it prints."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import final

from jinja2 import Environment, meta, nodes
from jinja2.visitor import NodeTransformer

GIVEN = frozenset({"asked", "voice", "look", "_", "ngettext"})
"""What every page is given. A macro that looks at anything else but its arguments is called as ever."""

Macros = Mapping[str, nodes.Macro]


def expand(template: nodes.Template, environment: Environment, imported: Callable[[str], Macros]) -> Macros:
    """Put macros in the place of their calls; return those of the template's own that can be put anywhere.

    `imported` returns those of another template. Imports that nothing is left of are left out. Where a template
    switches escaping off, nothing is done: what a macro prints is escaped as where it was written.
    """
    if not GIVEN.isdisjoint(_names(template, "store", "param")) or template.find(nodes.EvalContextModifier):
        return {}
    expanding = _Expanding(dict(_imported(template, imported)), template, environment)
    own = expanding.learn(each for each in template.body if isinstance(each, nodes.Macro))
    expanding.visit(template)
    _leave_out_imports(template)
    return own


@final
class _Expanding(NodeTransformer):
    def __init__(self, known: Macros, template: nodes.Template, environment: Environment) -> None:
        self._environment = environment
        # What something else goes by somewhere is no macro's name for sure.
        self._taken = _names(template, "store", "param") | {
            each.name for each in template.find_all(nodes.Macro) if each not in template.body
        }
        self._known = {name: macro for name, macro in known.items() if name not in self._taken}

    def learn(self, macros: Iterable[nodes.Macro]) -> Macros:
        """Return which of the template's macros can be put anywhere, each with those in it that come before it."""
        learnt: dict[str, nodes.Macro] = {}
        for macro in macros:
            self.generic_visit(macro)
            if self._known.pop(macro.name, None) is not None:
                learnt.pop(macro.name, None)
            elif macro.name not in self._taken and self._looks_at(macro) <= GIVEN:
                learnt[macro.name] = self._known[macro.name] = macro
        return learnt

    def visit_Output(self, output: nodes.Output) -> Sequence[nodes.Node]:  # noqa: N802 - the name that Jinja looks for
        parts: list[nodes.Node] = []
        for each in output.nodes:
            body = self._body(each)
            if body is not None:
                parts.append(body)
            elif parts and isinstance(parts[-1], nodes.Output):
                parts[-1].nodes.append(each)
            else:
                parts.append(nodes.Output([each], lineno=output.lineno))
        return parts

    def _body(self, node: nodes.Expr) -> nodes.With | None:
        """Return what stands in the place of a macro's call, or nothing for what is no such call."""
        match node:
            case nodes.Call(node=nodes.Name(name=name), dyn_args=None, dyn_kwargs=None) if name in self._known:
                macro = self._known[name]
                values = _arguments(macro, node)
            case _:
                return None
        return None if values is None else _put(macro, values)

    def _looks_at(self, macro: nodes.Macro) -> set[str]:
        alone = nodes.Template([_put(macro, macro.args)], lineno=macro.lineno)
        alone.set_environment(self._environment)
        return meta.find_undeclared_variables(alone) - {each.name for each in macro.args}


def _put(macro: nodes.Macro, values: Sequence[nodes.Expr]) -> nodes.With:
    """Return what a macro prints, with its arguments as variables."""
    targets: list[nodes.Expr] = [nodes.Name(each.name, "store", lineno=macro.lineno) for each in macro.args]
    return nodes.With(targets, list(values), macro.body, lineno=macro.lineno)


def _imported(template: nodes.Template, imported: Callable[[str], Macros]) -> Iterable[tuple[str, nodes.Macro]]:
    for each in template.find_all(nodes.FromImport):
        if isinstance(each.template, nodes.Const) and each.with_context:
            macros = imported(each.template.value)
            named = ((name, name) if isinstance(name, str) else name for name in each.names)
            yield from ((alias, macros[name]) for name, alias in named if name in macros)


def _leave_out_imports(template: nodes.Template) -> None:
    wanted = _names(template, "load")
    for each in list(template.find_all(nodes.FromImport)):
        each.names = [name for name in each.names if (name if isinstance(name, str) else name[1]) in wanted]
    template.body = [each for each in template.body if not isinstance(each, nodes.FromImport) or each.names]


def _arguments(macro: nodes.Macro, call: nodes.Call) -> list[nodes.Expr] | None:
    """Return the value of each argument of a macro, or nothing where the call does not fit it, as Jinja will tell."""
    names = [each.name for each in macro.args]
    given = dict(zip(names, call.args, strict=False)) | {each.key: each.value for each in call.kwargs}
    usual = dict(zip(reversed(names), reversed(macro.defaults), strict=False))
    constant = all(isinstance(each, nodes.Const) for each in macro.defaults)
    twice = len(given) < len(call.args) + len(call.kwargs)
    if twice or len(call.args) > len(names) or not constant or not given.keys() <= set(names) <= {*given, *usual}:
        return None
    return [given.get(name) or usual[name] for name in names]


def _names(template: nodes.Template, *contexts: str) -> set[str]:
    return {each.name for each in template.find_all(nodes.Name) if each.ctx in contexts}
