"""What a stage costs while nobody calls it, counted from its synthesized templates."""
