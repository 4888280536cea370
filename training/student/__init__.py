"""The light student that learns masks from a frozen teacher and finds manipulations without prompts."""
