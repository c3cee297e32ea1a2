"""What exercises of several assignments share; see each file."""
