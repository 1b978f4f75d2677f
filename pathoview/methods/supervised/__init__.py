"""Methods that need no labels of the user's, or full ones."""
