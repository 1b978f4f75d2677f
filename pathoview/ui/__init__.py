"""The window: PySide6 and pyqtgraph live here and nowhere else.

Imports `core`, `annotations`, `layers`, `jobs` and `session`. Read `app`, then `main_window`.
"""
