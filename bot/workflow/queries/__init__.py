"""Questions that change nothing: answers, the Home tab, and the options of forms."""
