registry=@NAME@
soft=$(az acr config soft-delete show --registry "$registry" --only-show-errors --query status --output tsv)
if [ "$mode" = --yes ] && [ "$soft" != enabled ]; then
  printf 'soft delete is off, so nothing can be brought back: switch it on\n' >&2
  printf '  az acr config soft-delete update --registry %s --status enabled --days 14\n' "$registry" >&2
  printf 'or keep a copy and run it with --for-good\n' >&2
  exit 1
fi
removed=0
gone=0
remove() { # REPOSITORY DIGEST TAGS
  if [ "$mode" = --show ]; then printf '%s@%s\n' "$1" "$2"; return; fi
  if ! tags=$(az acr manifest show-metadata --registry "$registry" --name "$1@$2" --only-show-errors --query "join(',', sort(tags || \`[]\`))" --output tsv 2>/dev/null); then
    gone=$((gone + 1))
    return
  fi
  if [ "$tags" != "$3" ]; then
    printf '%s@%s has other tags now (%s): left alone\n' "$1" "$2" "$tags" >&2
    return
  fi
  az acr manifest delete --registry "$registry" --name "$1@$2" --only-show-errors --yes --output none
  removed=$((removed + 1))
}
