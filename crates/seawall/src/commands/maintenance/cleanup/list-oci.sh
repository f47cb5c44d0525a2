#!/bin/sh
# Writes down what a registry holds, for `seawall maintenance cleanup --registry FOLDER`. Reads only.
#   sh list.sh FOLDER
# CURL holds further options of curl, for instance CURL='--netrc' for a password in ~/.netrc.
# The distribution API shows no manifest without a tag, unless an index or a signature leads to it:
# https://github.com/opencontainers/distribution-spec/blob/main/spec.md
set -eu
folder=${1:?"sh list.sh FOLDER"}
base=@BASE@
mkdir "$folder"
printf '%s\n' @HOST@ > "$folder/registry"
date -u +%Y-%m-%dT%H:%M:%SZ > "$folder/taken"
accept='Accept: application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.list.v2+json, application/vnd.docker.distribution.manifest.v2+json'

fetch() { # PATH FILE [HEADER]
  # shellcheck disable=SC2086
  curl --silent --show-error --fail ${CURL-} --dump-header "$folder/head" --output "$2" --header "${3-Accept: */*}" "$base$1"
}

words() { # FILE KEY: the texts of a list, one a line
  tr -d ' \t\r\n' < "$1" | sed -n "s/.*\"$2\":\[\([^]]*\)\].*/\1/p" | { tr ',' '\n'; echo; } | sed 's/^"//; s/"$//; /^$/d'
}

pages() { # PATH KEY: the texts of a list over all pages
  path=$1
  while [ -n "$path" ]; do
    fetch "$path" "$folder/page"
    words "$folder/page" "$2"
    path=$(tr -d '\r' < "$folder/head" | sed -n 's/^[Ll]ink: *<\([^>]*\)>.*/\1/p' | sed 's|^https*://[^/]*||')
  done
}

manifest() { # REPOSITORY DIGEST
  file="$place/manifests/$2.json"
  if [ -e "$file" ]; then return; fi
  if ! fetch "/v2/$1/manifests/$2" "$file" "$accept"; then rm -f "$file"; return; fi
  kind=$(tr -d ' \t\r\n' < "$file")
  case $kind in
    *'"manifests":['*)
      # Parts of an index are manifests as well.
      for part in $(printf '%s' "$kind" | grep -o '"digest":"[^"]*"' | sed 's/^"digest":"//; s/"$//'); do
        manifest "$1" "$part"
      done ;;
    *'"config":{'*)
      config=$(printf '%s' "$kind" | sed 's/.*"config":{//; s/}.*//' | grep -o '"digest":"[^"]*"' | sed 's/^"digest":"//; s/"$//')
      fetch "/v2/$1/blobs/$config" "$place/configs/$2.json" || rm -f "$place/configs/$2.json" ;;
  esac
}

number=0
mkdir "$folder/repositories"
pages '/v2/_catalog?n=100' repositories > "$folder/names"
while IFS= read -r name; do
  number=$((number + 1))
  place="$folder/repositories/$number"
  mkdir "$place" "$place/manifests" "$place/configs"
  printf '%s\n' "$name" > "$place/name"
  : > "$place/tags"
  # A repository whose manifests were all removed is still in the catalogue.
  pages "/v2/$name/tags/list?n=100" tags > "$folder/tags" || : > "$folder/tags"
  while IFS= read -r tag; do
    fetch "/v2/$name/manifests/$tag" "$folder/page" "$accept"
    digest=$(tr -d '\r' < "$folder/head" | sed -n 's/^[Dd]ocker-[Cc]ontent-[Dd]igest: *//p')
    printf '%s %s\n' "$tag" "$digest" >> "$place/tags"
    manifest "$name" "$digest"
  done < "$folder/tags"
done < "$folder/names"
rm -f "$folder/names" "$folder/tags" "$folder/page" "$folder/head"
printf 'what @HOST@ holds stands in %s\n' "$folder"
