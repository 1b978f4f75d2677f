"""The commands of the program, a table a menu; `session.commands` puts them together.

Imports what `session` may. Read `session.command` first.
"""
