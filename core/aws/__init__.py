"""The one door to AWS: sessions, prices, limits and the lines that Lambda logs."""
