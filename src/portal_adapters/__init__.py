"""Answers to the ports of `portal_core`: one package or module for each technology."""
