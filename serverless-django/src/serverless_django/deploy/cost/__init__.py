"""What an idle stage costs, counted from its synthesized templates."""
