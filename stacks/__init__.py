"""The infrastructure, as CDK stacks. Reads the declarations of the units; nothing under `lambdas` imports it."""

from stacks.node import use_packaged_node

use_packaged_node()  # before anything imports aws_cdk, which starts Node at once
