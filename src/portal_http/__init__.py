"""The customer portal over HTTP: settings, wiring, JSON API, pages and command line."""
