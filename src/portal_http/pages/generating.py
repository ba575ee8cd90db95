"""The Python that templates become, with less of a detour than Jinja's own."""

import re
from collections.abc import Iterable
from keyword import iskeyword
from typing import Any, final

from jinja2 import nodes
from jinja2.compiler import CodeGenerator, Frame
from markupsafe import Markup, escape

_special = re.compile("[&<>\"']").search


def written(value: object) -> str:
    """Return a value as it stands in HTML; most text has nothing in it that is to be escaped."""
    if type(value) is Markup:
        return value
    if type(value) is str and _special(value) is None:
        return value
    return escape(value)


@final
class Generator(CodeGenerator):
    """What a block prints is gathered before it is handed on, and methods are called as in Python."""

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
            self.write("environment.written(")

    def visit_Call(self, node: nodes.Call, frame: Frame, forward_caller: bool = False) -> None:  # noqa: FBT001, FBT002, N802 - as Jinja has it
        """Call a method at once: Jinja would ask first whether it wants to know of the template."""
        method = node.node
        if forward_caller or not isinstance(method, nodes.Getattr) or not _is_plain(method, node):
            super().visit_Call(node, frame, forward_caller=forward_caller)
            return
        self.visit(method.node, frame)
        self.write(f".{method.attr}")
        self.visit(nodes.Tuple(node.args, "load"), frame)


def _is_plain(method: nodes.Getattr, call: nodes.Call) -> bool:
    """Tell whether a method can be called as it is written: `self` has blocks for items, and numbers look otherwise."""
    of = method.node
    looks_otherwise = isinstance(of, nodes.Const) or (isinstance(of, nodes.Name) and of.name == "self")
    return not (looks_otherwise or iskeyword(method.attr) or call.kwargs or call.dyn_args or call.dyn_kwargs)
