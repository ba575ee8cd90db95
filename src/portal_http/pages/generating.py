"""The Python that templates become, with less of a detour than Jinja's own."""

import re
from collections.abc import Callable, Iterable
from functools import lru_cache
from keyword import iskeyword
from typing import Any, final

from jinja2 import nodes
from jinja2.compiler import CodeGenerator, Frame
from markupsafe import Markup, escape

_MOST_MARKED = 1_000

special = re.compile("[&<>\"']").search
"""Find what is to be escaped in a text."""


def written(value: Any) -> str:  # noqa: ANN401 - whatever a template prints
    """Return a value as it stands in HTML; most text has nothing in it that is to be escaped."""
    if type(value) is Markup:
        return value
    text = value if type(value) is str or hasattr(value, "__html__") else str(value)
    return text if type(text) is str and special(text) is None else escape(text)


marked: Callable[[str], Markup] = lru_cache(maxsize=_MOST_MARKED)(Markup)
"""Return words of a template that may stand in HTML as they are; they are the same for every page."""


@final
class Generator(CodeGenerator):
    """What a block prints is gathered before it is handed on; attributes and methods are looked up as in Python.

    Whoever runs what it makes is ready for an AttributeError: Jinja would look for an item then.
    """

    def write_commons(self) -> None:
        """Give what is used most a name that is found at once."""
        super().write_commons()
        self.writeline("written, marked, special = environment.written, environment.marked, environment.special")

    def blockvisit(self, nodes: Iterable[nodes.Node], frame: Frame) -> None:
        """Gather what the whole of a block prints."""
        if frame.buffer is not None or frame.parent is not None or not frame.block_frame:
            super().blockvisit(nodes, frame)
            return
        self.buffer(frame)
        super().blockvisit(nodes, frame)
        self.writeline(f"yield concat({frame.buffer})")

    def _output_child_pre(self, node: nodes.Expr, frame: Frame, finalize: Any) -> None:  # noqa: ANN401 - of Jinja's own
        if frame.eval_ctx.volatile or not frame.eval_ctx.autoescape:
            super()._output_child_pre(node, frame, finalize)
        else:
            # Most of what is printed is text with nothing to escape in it: to call a function for it costs more.
            self.write("(it if type(it := ")

    def _output_child_post(self, node: nodes.Expr, frame: Frame, finalize: Any) -> None:  # noqa: ANN401 - as above
        if frame.eval_ctx.volatile or not frame.eval_ctx.autoescape:
            super()._output_child_post(node, frame, finalize)
        else:
            self.write(") is str and special(it) is None else written(it))")

    def visit_Getattr(self, node: nodes.Getattr, frame: Frame) -> None:  # noqa: N802 - as Jinja has it
        """Look an attribute up at once."""
        if not _is_plain(node):
            super().visit_Getattr(node, frame)
            return
        self.visit(node.node, frame)
        self.write(f".{node.attr}")

    def visit_MarkSafe(self, node: nodes.MarkSafe, frame: Frame) -> None:  # noqa: N802 - as above
        """Mark words of a template once."""
        if not isinstance(node.expr, nodes.Const):
            super().visit_MarkSafe(node, frame)
            return
        self.write("marked(")
        self.visit(node.expr, frame)
        self.write(")")

    def visit_Call(self, node: nodes.Call, frame: Frame, forward_caller: bool = False) -> None:  # noqa: FBT001, FBT002, N802 - as above
        """Call a method at once: Jinja would ask first whether it wants to know of the template."""
        method = node.node
        more = forward_caller or node.kwargs or node.dyn_args or node.dyn_kwargs
        if more or not isinstance(method, nodes.Getattr) or not _is_plain(method):
            super().visit_Call(node, frame, forward_caller=forward_caller)
            return
        self.visit(method, frame)
        self.visit(nodes.Tuple(node.args, "load"), frame)


def _is_plain(attribute: nodes.Getattr) -> bool:
    """Tell whether an attribute can be written as in Python: `self` has blocks for items, numbers look otherwise."""
    of, name = attribute.node, attribute.attr
    looks_otherwise = isinstance(of, nodes.Const) or (isinstance(of, nodes.Name) and of.name == "self")
    return name.isascii() and not (looks_otherwise or iskeyword(name))
