"""What the exercises of several assignments share."""
