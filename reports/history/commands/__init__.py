"""`reports history`: what is in a history, told to people; what they decide, recorded."""
