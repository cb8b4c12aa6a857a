"""Who is polled when, and what one poll does."""
