if [ "$mode" = --yes ]; then
  printf 'this registry brings nothing back: keep a copy, then run it with --for-good\n' >&2
  exit 1
fi
removed=0
gone=0
remove() { # REPOSITORY DIGEST
  if [ "$mode" = --show ]; then printf '%s@%s\n' "$1" "$2"; return; fi
  # shellcheck disable=SC2086
  code=$(curl --silent --show-error ${CURL-} --output /dev/null --write-out '%{http_code}' --request DELETE @BASE@/v2/"$1"/manifests/"$2")
  case $code in
    200|202) removed=$((removed + 1)) ;;
    404) gone=$((gone + 1)) ;;
    *) printf 'the registry answers %s to removing %s@%s; %s removed before\n' "$code" "$1" "$2" "$removed" >&2; exit 1 ;;
  esac
}
