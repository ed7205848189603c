"""SSH: a pool of connections to hosts, and the commands that run over them."""
