"""What the stacks are composed of: each module is one part of the picture, told what it needs and asking nobody."""
