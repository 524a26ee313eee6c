"""The ports made real: DynamoDB, Step Functions, S3, STS, Slack, EKS."""
