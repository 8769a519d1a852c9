#!/bin/sh
# Asks the deployed function the tested query.
set -eu
cd "$(dirname "$0")"
NAME=${NAME:-@NAME@}
output() {
    aws cloudformation describe-stacks --stack-name "$NAME" --output text \
        --query "Stacks[0].Outputs[?OutputKey=='$1'].OutputValue"
}
ANSWER=$(mktemp)
trap 'rm -f "$ANSWER"' EXIT
aws lambda wait function-active-v2 --function-name "$(output FunctionName)"
aws lambda invoke --function-name "$(output FunctionName)" --cli-read-timeout 900 \
    --cli-binary-format raw-in-base64-out --payload file://query.json "$ANSWER" >/dev/null
cat "$ANSWER" && echo
grep -q '"response"' "$ANSWER"
echo "URL (signed requests only): $(output FunctionUrl)invocations"
