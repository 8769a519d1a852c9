"""The targets. To add one: copy `aws_lambda.py` with its templates, and add its line here."""

from seatrial.domain.packages import Target as TargetName

from . import agentcore, aws_lambda, compose, fargate
from .base import Target

REGISTRY: dict[TargetName, Target] = {
    one.name: one for one in (agentcore.TARGET, aws_lambda.TARGET, fargate.TARGET, compose.TARGET)
}
"""By name, in the order in which they are shown."""
