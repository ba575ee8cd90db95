"""The Python that templates become, with less of a detour than Jinja's own."""

import re
from collections.abc import Iterable
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
        if not isinstance(node.node, nodes.Getattr) or node.kwargs or node.dyn_args or node.dyn_kwargs:
            super().visit_Call(node, frame, forward_caller=forward_caller)
            return
        self.visit(node.node.node, frame)
        self.write(f".{node.node.attr}")
        self.visit(nodes.Tuple(node.args, "load"), frame)
