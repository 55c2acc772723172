#!/usr/bin/env bash
# Keeps what the AWS CLI prints of one account in files, for `lastcopy audit --cli-outputs DIR`. It only reads.
#
# Usage: collect.sh [-n NAME] DIR [BUCKET...]
#   -n NAME   the account's alias in the policy, instead of its number; needed where there is no STS (off AWS)
#   BUCKET    only these buckets; without any, all that the account lists
# Credentials, Region and endpoint are those of the AWS CLI: AWS_PROFILE, AWS_REGION, AWS_ENDPOINT_URL.
# A command that fails leaves its error in COMMAND.err. The files hold the state of the account: keep them to yourself.
set -uo pipefail
umask 077
export AWS_PAGER=""
# Version 1 of the AWS CLI knows only the longer name.
[ -z "${AWS_REGION:-}" ] || export AWS_DEFAULT_REGION=${AWS_DEFAULT_REGION:-$AWS_REGION}

name=""
if [ "${1:-}" = -n ]; then name=${2:?"-n needs a name"} && shift 2; fi
dir=${1:?"usage: collect.sh [-n NAME] DIR [BUCKET...]"} && shift
command -v aws >/dev/null || { echo "the AWS CLI is missing" >&2; exit 4; }

account="" said=$(aws sts get-caller-identity --query Account --output text 2>&1)
[[ ! $said =~ ^[0-9]{12}$ ]] || account=$said
case "${name:-$account}" in
  "") echo "aws sts get-caller-identity fails; off AWS name the account with -n: $said" >&2; exit 4 ;;
  */* | . | .. | -*) echo "-n $name: not a name" >&2; exit 2 ;;
esac
root=$dir/${name:-$account}
# What an earlier run left would be mixed with what this one finds.
[ ! -e "$root" ] || { echo "$root is there already; remove it or choose another folder" >&2; exit 2; }
mkdir -p "$root" || exit 4
date -u +%Y-%m-%dT%H:%M:%SZ >"$root/collected-at"

# save FOLDER SERVICE COMMAND [ARGUMENT...]: a file is whole or is not there.
save() {
  local file=$1/$3
  shift
  if aws "$@" --output json >"$file.part" 2>"$file.error"; then
    mv "$file.part" "$file.json" && rm -f "$file.error"
  else
    mv "$file.error" "$file.err" && rm -f "$file.part"
  fi
}

owner=()
if [ -n "$account" ]; then
  # Refuses a bucket that somebody else took over.
  owner=(--expected-bucket-owner "$account")
  save "$root" sts get-caller-identity &
  save "$root" iam get-account-summary &
  save "$root" iam get-account-password-policy &
  save "$root" iam get-account-authorization-details &
  save "$root" s3control get-public-access-block --account-id "$account" &
  for _ in 1 2 3 4 5 6; do
    [ "$(aws iam generate-credential-report --query State --output text 2>/dev/null)" = STARTED ] || break
    sleep 5
  done
  save "$root" iam get-credential-report
fi
save "$root" s3api list-buckets
wait

if [ $# = 0 ] && [ -e "$root/list-buckets.json" ]; then
  # Names of buckets hold no white space.
  # shellcheck disable=SC2046
  set -- $(aws s3api list-buckets --query 'Buckets[].Name' --output text)
fi
for bucket; do
  case "$bucket" in None | */* | . | .. | -*) continue ;; esac
  mkdir -p "$root/$bucket" || exit 4
  for command in get-bucket-tagging get-bucket-versioning get-bucket-lifecycle-configuration get-object-lock-configuration \
    get-bucket-replication get-bucket-policy get-public-access-block get-bucket-encryption get-bucket-ownership-controls; do
    save "$root/$bucket" s3api "$command" --bucket "$bucket" ${owner[@]+"${owner[@]}"} &
  done
  wait
done
echo "$root" >&2
