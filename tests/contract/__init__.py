"""One boto3 script that passes against AWS's documentation, run against several local AWSs."""
