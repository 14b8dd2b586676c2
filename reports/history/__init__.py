"""What earlier nights measured and decided: immutable objects in a folder or under s3://."""
