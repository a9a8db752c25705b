"""How much a member, or an address, may write in a minute, counted for all execution environments together."""
