"""`tune`: which memory size should a Lambda function have?"""
