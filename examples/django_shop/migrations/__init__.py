"""The shop's tables; the portal's come after them, by `apps.py`."""
