"""The pure part of rollouts: how targets are divided into waves, what is done next, and the digest of the whole."""
