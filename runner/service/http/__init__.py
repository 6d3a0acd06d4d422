"""HTTP around the engine: bounded bodies, checked callers, routes, and the server's life."""
