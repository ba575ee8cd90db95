"""A rule about imports that import-linter does not bring: a package needs certain libraries and no other."""

import sys
from typing import Any, cast

from grimp import ImportGraph
from importlinter import Contract, ContractCheck, fields, output


class NothingBut(Contract):
    """`package` imports itself, the standard library and `libraries`, and nothing else."""

    package = fields.StringField()
    libraries = fields.SetField(subfield=fields.StringField())

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:  # noqa: ARG002, FBT001 (import-linter's signature)
        """Name every import in the package that the rule forbids."""
        package = cast("str", self.package)
        allowed = sys.stdlib_module_names | cast("set[str]", self.libraries) | {package}
        strangers = [
            f"{importer} -> {imported}"
            for importer in sorted({package} | graph.find_descendants(package))
            for imported in sorted(graph.find_modules_directly_imported_by(importer))
            if imported.partition(".")[0] not in allowed
        ]
        return ContractCheck(kept=not strangers, metadata={"strangers": strangers})

    def render_broken_contract(self, check: ContractCheck) -> None:
        """Print the imports that break the rule."""
        metadata: dict[str, Any] = check.metadata
        for stranger in metadata["strangers"]:
            output.print_error(f"- {stranger}", bold=False)
        output.new_line()
