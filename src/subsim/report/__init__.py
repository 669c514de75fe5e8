"""What people read: figures, prose, stories. Computed from results, never from an engine."""
