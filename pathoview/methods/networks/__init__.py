"""Networks as plain torch modules; docstrings give the shapes. Imports torch and nothing of ours."""
