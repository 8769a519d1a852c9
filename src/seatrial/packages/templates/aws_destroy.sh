#!/bin/sh
# Removes everything that deploy.sh made: the stack, the images and the secret.
set -eu
cd "$(dirname "$0")"
NAME=${NAME:-@NAME@}
AWS_REGION=${AWS_REGION:-${AWS_DEFAULT_REGION:-$(aws configure get region)}}
export AWS_REGION AWS_DEFAULT_REGION="$AWS_REGION"
aws cloudformation delete-stack --stack-name "$NAME"
aws cloudformation wait stack-delete-complete --stack-name "$NAME"
aws ecr delete-repository --repository-name "$NAME" --force >/dev/null || true
@SECRET@
