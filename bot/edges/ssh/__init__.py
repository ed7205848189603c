"""SSH: connections to hosts, kept in a pool, and the commands that run over them."""
