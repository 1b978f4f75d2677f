"""What is shown below the list of layers for the chosen one: a module a kind of layer.

A set of controls is a `QWidget` made for one layer, with `refresh()`, called when the layer, its
style or its content is another one; it is let go when another layer is chosen.
"""
