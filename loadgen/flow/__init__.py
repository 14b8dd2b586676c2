"""What an injector sends: templates, feeds, requests built ahead, and what is made of answers."""
