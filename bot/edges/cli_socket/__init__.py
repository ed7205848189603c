"""The Unix socket between `maskbot` at a terminal and the running bot."""
