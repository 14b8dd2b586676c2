"""`loadgen`: what can an API take, and what stops it?"""
