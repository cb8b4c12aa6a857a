"""The lists that a sandbox serves: their records, and how they are paged."""
