#!/bin/sh
# Removes from @HOST@ what nobody uses. Planned on @DAY@: @COUNT@.
#   sh remove.sh              shows what would be removed
#   sh remove.sh --yes        removes it, where what is removed can be brought back
#   sh remove.sh --for-good   removes it all the same
# Nothing else is touched. What is gone already is no error, so it can be run again.
set -eu
mode=${1---show}
case $mode in --show|--yes|--for-good) ;; *) printf 'sh remove.sh [--yes|--for-good]\n' >&2; exit 2 ;; esac
# Meanwhile somebody may have begun to use an image.
if [ "$mode" != --show ] && [ $(($(date +%s) - @MADE@)) -gt 604800 ]; then
  printf 'this plan is older than 7 days: make it anew\n' >&2
  exit 1
fi
