"""Small DeepLab and PSPNet, distilled from a trained DeepLab."""
