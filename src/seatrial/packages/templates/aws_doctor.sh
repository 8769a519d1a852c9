#!/bin/sh
# Checks what deploying needs, and says what to do where something is missing. Changes nothing.
set -eu
cd "$(dirname "$0")"
failed=0
missing() {
    echo "missing: $1" >&2
    failed=1
}
DOCKER=${DOCKER:-docker}
for program in python3 aws "$DOCKER"; do
    command -v "$program" >/dev/null || missing "$program"
done
[ "$failed" = 0 ] || exit 1
REGION=${AWS_REGION:-${AWS_DEFAULT_REGION:-$(aws configure get region || true)}}
[ -n "$REGION" ] || missing "a region: export AWS_REGION=@REGION@"
# Versions 1 and 2 of the AWS CLI read different ones.
export AWS_REGION="$REGION" AWS_DEFAULT_REGION="$REGION"
@REGIONS@
aws sts get-caller-identity >/dev/null || missing "AWS credentials: aws configure, or aws sso login"
"$DOCKER" info >/dev/null 2>&1 || missing "a running $DOCKER"
@PLATFORM_CHECK@
for name in @NEEDED@; do
    grep -Eqs "^$name=.+" .env || missing "$name in .env (see .env.example)"
done
exit $failed
