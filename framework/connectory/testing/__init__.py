"""What the authors of elements test with; Connectory tests itself with the same."""
