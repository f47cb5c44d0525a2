#!/bin/sh
# Writes down what a registry holds, for `seawall maintenance cleanup --registry FOLDER`. Reads only: AcrPull and Reader
# on the registry suffice. Sign in first (`az login`).
#   sh list.sh FOLDER
# https://learn.microsoft.com/cli/azure/acr/manifest, seen 2026-11-27
set -eu
folder=${1:?"sh list.sh FOLDER"}
registry=@NAME@
mkdir "$folder" "$folder/repositories"
printf '%s\n' @HOST@ > "$folder/registry"
date -u +%Y-%m-%dT%H:%M:%SZ > "$folder/taken"
az acr config soft-delete show --registry "$registry" --only-show-errors --output json > "$folder/soft-delete.json"
az acr repository list --name "$registry" --output tsv > "$folder/names"
number=0
while IFS= read -r name; do
  number=$((number + 1))
  place="$folder/repositories/$number"
  mkdir "$place" "$place/manifests"
  printf '%s\n' "$name" > "$place/name"
  az acr repository show --name "$registry" --repository "$name" --output json < /dev/null > "$place/repository.json"
  az acr manifest list-metadata --registry "$registry" --name "$name" --only-show-errors --output json < /dev/null > "$place/metadata.json"
  az acr manifest list-metadata --registry "$registry" --name "$name" --only-show-errors --query '[].digest' --output tsv < /dev/null > "$folder/digests"
  while IFS= read -r digest; do
    az acr manifest show --registry "$registry" --name "$name@$digest" --only-show-errors --output json < /dev/null > "$place/manifests/$digest.json" \
      || rm -f "$place/manifests/$digest.json"
  done < "$folder/digests"
done < "$folder/names"
rm -f "$folder/names" "$folder/digests"
printf 'what @HOST@ holds stands in %s\n' "$folder"
