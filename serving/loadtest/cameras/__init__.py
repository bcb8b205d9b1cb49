"""Visitors of the live page, with drawn people before their cameras."""
