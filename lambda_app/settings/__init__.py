"""Django's settings: `base` everywhere, `deployed` on Lambda, `local` for commands and tests."""
