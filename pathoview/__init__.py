"""PathoView: deep learning on pathology slides that a pathologist can use.

The package is a house of layers; `resources/guide/architecture.md` is its plan and
`tests/test_architecture.py` holds its import table. This module imports nothing.
"""

__version__ = "0.1.0"
