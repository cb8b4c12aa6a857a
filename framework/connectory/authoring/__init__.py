"""What the authors of plugins use: `connect plugin` is its face at the command line."""
