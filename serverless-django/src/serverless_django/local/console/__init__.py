"""The live console of the laptop cloud: a page that shows why it scales, and the figures behind it."""
