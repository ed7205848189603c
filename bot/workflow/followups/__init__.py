"""What people want of a request beside a vote: to go ahead alone, to know more, to hand it over, to sign a review.

`recording` takes it down before it is acknowledged; `hearing` verifies who said it, asks the policy and does it. Like a
vote it waits for no look-up of Slack, and none is lost.
"""
