"""Networks that others are built on."""
