"""Windows that ask or tell something and go away again; none of them blocks the work."""
