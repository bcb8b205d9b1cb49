"""Folders of photos whose landmarks or shapes are known."""
