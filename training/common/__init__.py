"""What every model's training shares: the loop, export, measures."""
