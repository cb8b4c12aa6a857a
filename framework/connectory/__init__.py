"""Connectory."""
