#!/bin/sh
# Asks the deployed function the tested query.
set -eu
cd "$(dirname "$0")"
NAME=${NAME:-@NAME@}
AWS_REGION=${AWS_REGION:-${AWS_DEFAULT_REGION:-$(aws configure get region)}}
export AWS_REGION AWS_DEFAULT_REGION="$AWS_REGION"
output() {
    aws cloudformation describe-stacks --stack-name "$NAME" --output text \
        --query "Stacks[0].Outputs[?OutputKey=='$1'].OutputValue"
}
ANSWER=$(mktemp)
trap 'rm -f "$ANSWER"' EXIT
FUNCTION=$(output FunctionName)
aws lambda wait function-active-v2 --function-name "$FUNCTION"
aws lambda invoke --function-name "$FUNCTION" --cli-read-timeout 900 \
    --payload fileb://query.json "$ANSWER" >/dev/null
cat "$ANSWER" && echo
grep -q '"response"' "$ANSWER"
echo "URL (signed requests only): $(output FunctionUrl)invocations"
