"""How each kind of component is audited."""
