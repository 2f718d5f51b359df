"""The server: what protects it from clients that send slowly, from more requests than it can do, and from restarts."""
