"""Uploads that would hurt a site: hostile ones, and those that are heavy to decode."""
