"""Commands and URLs that the configuration names: they are asked who is on call, and for more hosts."""
