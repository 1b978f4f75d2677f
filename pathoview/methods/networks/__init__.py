"""Networks as plain torch modules; docstrings give the shapes. Imports nothing of ours."""
