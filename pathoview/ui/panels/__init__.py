"""The docks around the canvas: each shows one part of the session and sends commands to it.

Read `analyze` first. Panels never change the model themselves: they call the session, and take
what it became from its signals.
"""
