"""Rate limits and monthly quotas: counters that are exact across processes, kept apart from the main database."""
