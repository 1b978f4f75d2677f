"""What presses and drags mean with each drawing tool; no window is needed.

A tool is told of presses, drags and keys in level-0 px, and shows what it would do as a `Preview`
that the canvas draws. One finished gesture is one step of the history. Read `tool.py` first.
"""
