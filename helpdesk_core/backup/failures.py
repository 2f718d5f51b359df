"""What a backup can fail with."""


class BackupFailed(Exception):
    """A backup cannot be made, read or restored; the message says why, in sentences for the operator."""


def reason(error: BackupFailed | OSError) -> str:
    """Return what failed, in sentences."""
    if isinstance(error, BackupFailed):
        return str(error)
    where = f"{error.filename}: " if error.filename else ""
    return f"{where}{error.strerror}."
