"""Templates in one language: what they say is looked up once, when they are compiled, and not for every page."""

import re
from collections.abc import Sequence
from functools import cached_property
from gettext import NullTranslations
from itertools import zip_longest
from typing import Any, final

from jinja2 import Environment, Template, nodes
from jinja2.compiler import CodeGenerator
from jinja2.visitor import NodeTransformer

from portal_http.pages.expanding import Macros, expand
from portal_http.pages.generating import Generator, marked, special, written

_PLACE = re.compile(r"%\((\w+)\)s")


class _Swift(Template):
    """A template that looks attributes up as Python does, and is rendered again as Jinja does where that fails."""

    def render(self, *args: Any, **kwargs: Any) -> str:
        """Return what the template prints."""
        try:
            return super().render(*args, **kwargs)
        except AttributeError:
            if self.name is None or not isinstance(self.environment, SpokenEnvironment):
                raise
            return self.environment.patient.get_template(self.name).render(*args, **kwargs)


@final
class SpokenEnvironment(Environment):
    """An environment for the templates of one language."""

    code_generator_class: type[CodeGenerator] = Generator
    template_class: type[Template] = _Swift

    def __init__(self, messages: NullTranslations, **options: Any) -> None:
        super().__init__(**options)
        self._spoken = _Spoken(messages)
        self._macros: dict[str, Macros] = {}

    written = staticmethod(written)
    """What a template prints of a value."""

    marked = staticmethod(marked)
    """What a template says."""

    special = staticmethod(special)
    """What of a text is to be escaped first, if anything is."""

    @cached_property
    def patient(self) -> Environment:
        """The same, but where there is no such attribute Jinja looks for an item, or tells that there is neither."""
        patient = self.overlay()
        patient.code_generator_class, patient.template_class = CodeGenerator, Template
        return patient

    def _generate(self, source: nodes.Template, *how: Any, **more: Any) -> str:
        expand(source, self, self._macros_of)
        return super()._generate(self._spoken.visit(source), *how, **more)

    def _macros_of(self, template: str) -> Macros:
        if template not in self._macros:
            self._macros[template] = {}  # What imports each other in a circle is left as it is.
            self._macros[template] = expand(self._parsed(template), self, self._macros_of)
        return self._macros[template]

    def _parsed(self, template: str) -> nodes.Template:
        loader = self.loader
        if loader is None:
            return nodes.Template([])
        return self.parse(loader.get_source(self, template)[0], template)


@final
class _Spoken(NodeTransformer):
    """Puts the translation in the place of `_("…")`; what is said with `_(variable)` is left until it is known."""

    def __init__(self, messages: NullTranslations) -> None:
        self._messages = messages

    def visit_Call(self, call: nodes.Call) -> nodes.Node:  # noqa: N802 - the name that Jinja looks for
        message = self._message(call)
        if message is None:
            return self.generic_visit(call)
        if call.kwargs:
            parts = list(self._parts(call))
            return self.generic_visit(call if parts == [call] else nodes.Concat(parts, lineno=call.lineno))
        try:
            said = message % {}
        except (TypeError, ValueError, KeyError):
            # What is wrong with it is told where it is said, and only then.
            return self.generic_visit(call)
        return nodes.MarkSafe(nodes.Const(said, lineno=call.lineno), lineno=call.lineno)

    def visit_Output(self, output: nodes.Output) -> nodes.Node:  # noqa: N802 - as above
        """Put what a message speaks of between its words, as if the template had been written so."""
        output.nodes = [part for each in output.nodes for part in self._parts(each)]
        return self.generic_visit(output)

    def _parts(self, node: nodes.Expr) -> Sequence[nodes.Expr]:
        message = self._message(node)
        if message is None or not isinstance(node, nodes.Call):
            return [node]
        words, names = _PLACE.split(message)[::2], _PLACE.findall(message)
        about = {pair.key: pair.value for pair in node.kwargs}
        if "%" in "".join(words) or not about.keys() >= set(names):
            return [node]
        said = [nodes.TemplateData(each, lineno=node.lineno) for each in words]
        spoken_of = [about[name] for name in names]
        return [part for pair in zip_longest(said, spoken_of) for part in pair if part is not None]

    def _message(self, node: nodes.Node) -> str | None:
        match node:
            case nodes.Call(
                node=nodes.Name(name="_"), args=[nodes.Const(value=str(message))], dyn_args=None, dyn_kwargs=None
            ):
                return self._messages.gettext(message)
            case _:
                return None
