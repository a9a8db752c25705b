"""What the stacks are composed of: each module is one part, and gets what it needs as arguments."""
