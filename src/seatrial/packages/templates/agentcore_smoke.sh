#!/bin/sh
# Asks the deployed runtime the tested query.
set -eu
cd "$(dirname "$0")"
NAME=${NAME:-@NAME@}
AWS_REGION=${AWS_REGION:-${AWS_DEFAULT_REGION:-$(aws configure get region)}}
export AWS_REGION AWS_DEFAULT_REGION="$AWS_REGION"
ARN=$(aws cloudformation describe-stacks --stack-name "$NAME" --output text \
    --query "Stacks[0].Outputs[?OutputKey=='RuntimeArn'].OutputValue")
ANSWER=$(mktemp)
trap 'rm -f "$ANSWER"' EXIT
aws bedrock-agentcore invoke-agent-runtime --agent-runtime-arn "$ARN" \
    --content-type application/json --accept application/json \
    --payload fileb://query.json "$ANSWER" >/dev/null
cat "$ANSWER" && echo
grep -q '"response"' "$ANSWER"
