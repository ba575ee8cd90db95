"""Documents on paper, set by typst: tagged PDF for screen readers (PDF/UA-1), the same bytes for the same words."""

from portal_adapters.pdf.printer import TypstPrinter, can_print

__all__ = ["TypstPrinter", "can_print"]
