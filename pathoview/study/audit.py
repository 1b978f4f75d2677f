"""The audit trail: who did what, and when. Lines are only added, never altered."""

from __future__ import annotations

import sqlite3

from pathoview.study.records import now


def add_audit(connection: sqlite3.Connection, author: str, slide_hash: str, text: str) -> None:
    """Put a line into the audit trail, in the transaction that goes on."""
    connection.execute(
        "INSERT INTO audit (time, author, slide, text) VALUES (?, ?, ?, ?)",
        (now(), author, slide_hash, text),
    )
