"""What operators see of webhooks: how many tries succeed, and how long receivers take."""

from helpdesk_core.api import Counter, Histogram, Metric

attempts = Counter(
    "webhook_attempts",
    "Tries to deliver a webhook: taken, answered with a failure, or without an answer.",
    {"outcome": ("delivered", "refused", "unreachable")},
)
attempt_seconds = Histogram(
    "webhook_attempt_duration_seconds",
    "How long receivers of webhooks take to answer; 15 seconds is all that they get.",
    bounds=(0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 15.0),
)

ALL: tuple[Metric, ...] = (attempts, attempt_seconds)
