"""What the drawing tools work out of pixels; pure functions of a patch.

Nothing here reads a slide or knows the window: a tool reads a `patch.Patch` and asks. Each helper
keeps what it works out once a patch, so that an answer to a move of the pointer takes milliseconds.
Read `patch` first.
"""
