"""The open application without a window: slide, layers, viewport, runs, commands, settings.

Imports `core`, `slides`, `annotations`, `study`, `layers`, `jobs` and method specifications; no Qt.
Read `session` first.
"""
