#!/bin/sh
# Finds the running task's address and asks it the tested query.
set -eu
cd "$(dirname "$0")"
NAME=${NAME:-@NAME@}
AWS_REGION=${AWS_REGION:-${AWS_DEFAULT_REGION:-$(aws configure get region)}}
export AWS_REGION AWS_DEFAULT_REGION="$AWS_REGION"
aws ecs wait services-stable --cluster "$NAME" --services "$NAME"
TASK=$(aws ecs list-tasks --cluster "$NAME" --service-name "$NAME" \
    --query 'taskArns[0]' --output text)
INTERFACE=$(aws ecs describe-tasks --cluster "$NAME" --tasks "$TASK" --output text \
    --query "tasks[0].attachments[0].details[?name=='networkInterfaceId'].value")
ADDRESS=$(aws ec2 describe-network-interfaces --network-interface-ids "$INTERFACE" \
    --query 'NetworkInterfaces[0].Association.PublicIp' --output text)
python3 smoke.py "http://$ADDRESS:8080"
