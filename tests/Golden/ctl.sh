#!/bin/sh
# ipfs-cluster-ctl (its path is in CTL) with one more command, for steps of transcripts that wait:
#   until COUNT REGEX ARGUMENTS...   runs it with these arguments again and again, until it succeeds and prints COUNT lines that match
[ "$1" = until ] || exec "$CTL" "$@"
count=$2 regex=$3
shift 3
while :; do
  if printed=$("$CTL" "$@" 2>/dev/null) && [ "$(printf '%s\n' "$printed" | grep -cE -- "$regex")" -eq "$count" ]; then
    exit 0
  fi
  sleep 0.3
done
