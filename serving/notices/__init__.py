"""Notices about the end of a job: mails and webhooks."""
