"""Questions that change nothing: answers, the Home tab, and what forms offer."""
