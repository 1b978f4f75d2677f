"""The vocabulary everybody shares: geometry, pyramids, parameters, progress, errors, paths.

Imports nothing of ours, no Qt and no torch. Start with `geometry`, then `pyramid`.
"""
