"""Why a followup is not recorded."""

PLAN_CHANGED = "The plan has changed since this was shown. Read the new plan first."
RECORDED_ALREADY = "That is already recorded and being checked."
NO_QUESTION_TYPED = "Type your question."
NO_OPEN_QUESTION = "There is no open question."
NO_ANSWER_TYPED = "Type your answer."
CANNOT_HAND_OVER = "This cannot be handed over: it is running or over."
NO_SIGN_OFF_OWED = "No sign-off is owed for this."
NOT_CARRIED_OUT = "That rollout is not being carried out now: it has not begun, or it is over."
NOTHING_TO_TRY = "There is nothing to try again here. What was left halfway must be undone first."
GOES_ON_ALREADY = "It goes on already: it is not paused, and its next wave waits for no pause."
PAUSED_ALREADY = "It is paused already."
MAY_NOT_DECIDE = "You may not approve or deny this."
MAY_NOT_BREAK_GLASS = "You may not use break-glass."


def signed_already(name: str) -> str:
    """Somebody was quicker."""
    return f"{name} has already signed it off."
