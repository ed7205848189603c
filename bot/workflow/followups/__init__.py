"""Followups: break-glass, questions and answers, transfer and sign-off.

`record` stores a followup before it is acknowledged; `handle` verifies its author, asks the policy and carries it out.
Like a vote, recording waits for no Slack call, and no followup is lost.
"""
