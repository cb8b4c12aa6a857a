"""What the authors of plugins use: `connect plugin` calls it from the command line."""
