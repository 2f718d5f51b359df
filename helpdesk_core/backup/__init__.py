"""Backups: a folder with the database, the stored files and a manifest that says what must be in them.

Decision 0032 says why it is made like this; docs/backup.md is for operators.
"""
