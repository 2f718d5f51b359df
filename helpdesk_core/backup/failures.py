"""What a backup can fail with."""


class BackupFailed(Exception):
    """A backup cannot be made, read or restored; the message says why, in sentences for the operator."""
