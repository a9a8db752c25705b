"""The two stacks: what must last, and what every deploy replaces."""
