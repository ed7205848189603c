"""A Slack that runs here: a stand-in in a network of its own, behind a proxy that is as strict as the real one."""
