#!/bin/sh
# Builds the image, puts it into your registry, deploys the stack and asks the tested query.
# Again is safe: what is there already is brought up to date.
set -eu
cd "$(dirname "$0")"
./doctor.sh
[ -e .env ] || (umask 077 && : >.env)
NAME=${NAME:-@NAME@}
DOCKER=${DOCKER:-docker}
AWS_REGION=${AWS_REGION:-${AWS_DEFAULT_REGION:-$(aws configure get region)}}
export AWS_REGION AWS_DEFAULT_REGION="$AWS_REGION"
# One plain image: services refuse the index of attestations that Docker would put around it.
export BUILDX_NO_DEFAULT_ATTESTATIONS=1
# Values of .env, one at a time: the file is read as text and never run.
value() { sed -n "s/^$1=//p" .env | tail -n 1; }

REPOSITORY=$(
    aws ecr describe-repositories --repository-names "$NAME" --output text \
        --query 'repositories[0].repositoryUri' 2>/dev/null ||
        aws ecr create-repository --repository-name "$NAME" --output text \
            --image-scanning-configuration scanOnPush=true --query repository.repositoryUri
)
IMAGE=$REPOSITORY:@TAG@
"$DOCKER" build --platform @PLATFORM@ --tag "$IMAGE" agent
aws ecr get-login-password |
    "$DOCKER" login --username AWS --password-stdin "${REPOSITORY%%/*}"
"$DOCKER" push "$IMAGE"
@SECRET@
aws cloudformation deploy --stack-name "$NAME" --template-file infra/template.json \
    --capabilities CAPABILITY_IAM --no-fail-on-empty-changeset \
    --parameter-overrides "ImageUri=$IMAGE"@PARAMETERS@
./smoke.sh
