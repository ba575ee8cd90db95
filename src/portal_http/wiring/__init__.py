"""The composition root in its parts: what the settings say becomes what the ports ask for."""


class WiringRefused(Exception):
    """The settings do not make a portal; the message is a sentence that says what to do."""
