#!/bin/sh
# Asks the deployed runtime the tested query.
set -eu
cd "$(dirname "$0")"
NAME=${NAME:-@NAME@}
ARN=$(aws cloudformation describe-stacks --stack-name "$NAME" --output text \
    --query "Stacks[0].Outputs[?OutputKey=='RuntimeArn'].OutputValue")
ANSWER=$(mktemp)
trap 'rm -f "$ANSWER"' EXIT
aws bedrock-agentcore invoke-agent-runtime --agent-runtime-arn "$ARN" \
    --content-type application/json --accept application/json \
    --cli-binary-format raw-in-base64-out --payload file://query.json "$ANSWER" >/dev/null
cat "$ANSWER" && echo
grep -q '"response"' "$ANSWER"
