#!/bin/sh
# Compiled by sallyport from ficecal.yaml. Do not edit it: compile the contract again.
# contract ficecal sha256:be104e003b29bc7738b167a5fadf736f83c73bf169bbabc890084edc2beabbc1
#
#   sh guard.sh [--scope runtime] [-- command…]
#
# Refuses with exit code 78 and every problem on standard error; else becomes the command. Sourced, it checks the default scope, stops the
# script that sourced it, and leaves it its words; afterwards `sallyport_check SCOPE` asks for another scope.

# shellcheck disable=SC2034
sallyport_digest='sha256:be104e003b29bc7738b167a5fadf736f83c73bf169bbabc890084edc2beabbc1'

_sp_no() { # code name owner secret expected fix
  _sp_count=$((_sp_count + 1))
  case $1 in
    E101) _sp_words='is none of the contract' ;;
    E102) _sp_words='is none of the contract, or not that of the command' ;;
    E103) _sp_words='is another one' ;;
    E201) _sp_words='is required' ;;
    E202) _sp_words='is of another type' ;;
    E203) _sp_words='has none of its values' ;;
    E204) _sp_words="is fixed in $_sp_mode" ;;
    E205) _sp_words='is out of range' ;;
    E206) _sp_words='has the wrong scheme' ;;
    E207) _sp_words='does not match its pattern' ;;
    E301) _sp_words='never takes a migration' ;;
    E302) _sp_words='has to confirm the migration' ;;
    E303) _sp_words='is not that of the mode' ;;
    E304) _sp_words='confirms a migration, and nothing is migrated here' ;;
    *) _sp_words='is forbidden everywhere' ;;
  esac
  printf 'error[%s] %s %s\n' "$1" "$2" "$_sp_words" >&2
  printf '  found     %s\n  expected  %s\n' "$_sp_seen" "$5" >&2
  if [ -n "$3" ]; then printf '  owner     %s\n' "$3" >&2; fi
  if [ -n "$4" ]; then printf '  secret    %s\n' "$4" >&2; fi
  printf '  fix       %s\n\n' "$6" >&2
}

# Nothing is said of a sensitive value, nor of what could be one in the wrong place.
_sp_look() { # sensitive?
  case $_sp_v in
    '') _sp_seen='set, but empty' ;;
    *[!\ -~]* | *://*[@?]* | *[@?]*://*) _sp_seen='set, not shown' ;;
    ????????????????????????????????*) _sp_seen='set, not shown' ;;
    *) if [ "$1" = yes ]; then _sp_seen='set, not shown'; else _sp_seen=$_sp_v; fi ;;
  esac
}

_sp_is_uri() {
  case $_sp_v in
    *[!!-~]* | [!A-Za-z]* | *:) _sp_rest=${_sp_v#*:} ;;
    *:*) _sp_rest=ok ;;
    *) return 1 ;;
  esac
  case $_sp_v in
    *[!!-~]* | [!A-Za-z]*) return 1 ;;
  esac
  [ -n "$_sp_rest" ] || return 1
  case ${_sp_v%%:*} in
    *[!A-Za-z0-9+.-]*) return 1 ;;
  esac
}

# sallyport_check [scope [scope of the command]]: 0, or 78 when the environment is not as the contract says.
sallyport_check() {
  # Ranges of characters are those of ASCII; what it was before comes back.
  unset _sp_env_LC_ALL
  if [ "${LC_ALL+x}" ]; then _sp_env_LC_ALL=$LC_ALL; fi
  LC_ALL=C
  _sp_count=0 _sp_v='' _sp_seen='' _sp_words='' _sp_mode='?' _sp_scope=${1-runtime} _sp_belongs=${2-}
  _sp_all
  if [ "${_sp_env_LC_ALL+x}" ]; then LC_ALL=$_sp_env_LC_ALL; else unset LC_ALL; fi
  [ "$_sp_count" = 0 ] && return 0
  case $_sp_count in 1) _sp_words=problem ;; *) _sp_words=problems ;; esac
  printf '%s %s · mode %s · scope %s · ficecal.yaml\nNothing was started, and nothing was guessed.\n' "$_sp_count" "$_sp_words" "$_sp_mode" "$_sp_scope" >&2
  return 78
}

_sp_all() {
  case $_sp_belongs in
    '' | "$_sp_scope") ;;
    *)
      _sp_v=$_sp_scope
      _sp_look no
      _sp_no E102 scope '' '' "$_sp_belongs" "leave --scope out, or say $_sp_belongs"
      ;;
  esac
  if [ "${SALLYPORT_CONTRACT_DIGEST-$sallyport_digest}" != "$sallyport_digest" ]; then
    _sp_seen='another digest'
    _sp_no E103 contract '' '' 'sha256:be104e003b29bc7738b167a5fadf736f83c73bf169bbabc890084edc2beabbc1' 'compile the contract again'
  fi
  case $_sp_scope in
    'runtime') ;;
    *)
      _sp_v=$_sp_scope
      _sp_look no
      _sp_no E102 scope '' '' 'one of runtime' 'name one of runtime'
      ;;
  esac
  if [ "${NODE_ENV+x}" ] && [ "$NODE_ENV" = 'development' ]; then _sp_mode='LOCAL'
  elif [ "${NODE_ENV+x}" ] && [ "$NODE_ENV" = 'staging' ]; then _sp_mode='STAGE'
  elif [ "${NODE_ENV+x}" ] && [ "$NODE_ENV" = 'production' ]; then _sp_mode='PROD'
  else
    _sp_tuple=''
    _sp_v=${NODE_ENV-}
    if [ "${NODE_ENV+x}" ]; then _sp_look no; else _sp_seen='(not set)'; fi
    _sp_tuple="${_sp_tuple}NODE_ENV=$_sp_seen "
    _sp_seen=$_sp_tuple
    _sp_no E101 mode 'unspecified' '' 'NODE_ENV as in LOCAL(development) STAGE(staging) PROD(production)' 'make them those of one mode'
  fi
  case "$_sp_scope $_sp_mode" in 'runtime '*) _sp_missing=yes ;; *) _sp_missing=no ;; esac
  if [ "${FICECAL_API_BASE+x}" ]; then
  _sp_v=$FICECAL_API_BASE
  if [ -z "$_sp_v" ] && [ $_sp_missing = yes ]; then _sp_seen='set, but empty'; _sp_no E201 FICECAL_API_BASE 'unspecified' '' 'a URI, with the scheme https or http' 'set FICECAL_API_BASE'
  else
  if ! _sp_is_uri; then _sp_look no; _sp_no E202 FICECAL_API_BASE 'unspecified' '' 'a URI, with the scheme https or http' 'set FICECAL_API_BASE to a URI, with the scheme https or http'
  elif [ "${_sp_v%%:*}" != 'https' ] && [ "${_sp_v%%:*}" != 'http' ]; then _sp_look no; _sp_no E206 FICECAL_API_BASE 'unspecified' '' 'a URI, with the scheme https or http' 'set FICECAL_API_BASE to a URI, with the scheme https or http'
  fi
  fi
  elif [ $_sp_missing = yes ]; then _sp_seen='not set'; _sp_no E201 FICECAL_API_BASE 'unspecified' '' 'a URI, with the scheme https or http' 'set FICECAL_API_BASE'
  fi
  case "$_sp_scope $_sp_mode" in 'runtime '*) _sp_missing=yes ;; *) _sp_missing=no ;; esac
  if [ "${FICECAL_MCP_BASE+x}" ]; then
  _sp_v=$FICECAL_MCP_BASE
  if [ -z "$_sp_v" ] && [ $_sp_missing = yes ]; then _sp_seen='set, but empty'; _sp_no E201 FICECAL_MCP_BASE 'unspecified' '' 'a URI, with the scheme https or http' 'set FICECAL_MCP_BASE'
  else
  if ! _sp_is_uri; then _sp_look no; _sp_no E202 FICECAL_MCP_BASE 'unspecified' '' 'a URI, with the scheme https or http' 'set FICECAL_MCP_BASE to a URI, with the scheme https or http'
  elif [ "${_sp_v%%:*}" != 'https' ] && [ "${_sp_v%%:*}" != 'http' ]; then _sp_look no; _sp_no E206 FICECAL_MCP_BASE 'unspecified' '' 'a URI, with the scheme https or http' 'set FICECAL_MCP_BASE to a URI, with the scheme https or http'
  fi
  fi
  elif [ $_sp_missing = yes ]; then _sp_seen='not set'; _sp_no E201 FICECAL_MCP_BASE 'unspecified' '' 'a URI, with the scheme https or http' 'set FICECAL_MCP_BASE'
  fi
  if [ "${FICECAL_SECRET_RESOLVER_ENDPOINT+x}" ]; then
  _sp_v=$FICECAL_SECRET_RESOLVER_ENDPOINT
  if ! _sp_is_uri; then _sp_look no; _sp_no E202 FICECAL_SECRET_RESOLVER_ENDPOINT 'unspecified' '' 'a URI, with the scheme https or http' 'set FICECAL_SECRET_RESOLVER_ENDPOINT to a URI, with the scheme https or http'
  elif [ "${_sp_v%%:*}" != 'https' ] && [ "${_sp_v%%:*}" != 'http' ]; then _sp_look no; _sp_no E206 FICECAL_SECRET_RESOLVER_ENDPOINT 'unspecified' '' 'a URI, with the scheme https or http' 'set FICECAL_SECRET_RESOLVER_ENDPOINT to a URI, with the scheme https or http'
  fi
  fi
}

# The scope whose commands have this one: _sp_belongs, empty for none.
_sp_scope_of() { # command…
  _sp_program=${1-} _sp_belongs=''
  _sp_program=${_sp_program##*/}
  :
}

_sp_usage() {
  echo 'usage: sh guard.sh [--scope SCOPE] [-- command…]' >&2
  return 64
}

_sp_main() {
  _sp_named='' _sp_wanted=''
  if [ "${1-}" = --scope ] && [ $# -gt 1 ]; then
    _sp_named=yes _sp_wanted=$2
    shift 2
  fi
  if [ $# -gt 0 ]; then
    [ "$1" = -- ] || _sp_usage || return $?
    shift
  fi
  # `exec` would read it as an option, and start another word than the one whose scope is asked.
  case ${1-} in -*) _sp_usage || return $? ;; esac
  case $0 in
    */*) _sp_beside=${0%/*}/ficecal.yaml ;;
    *) _sp_beside=ficecal.yaml ;;
  esac
  if [ -e "$_sp_beside" ] && command -v sha256sum >/dev/null; then
    if [ "sha256:$(sha256sum <"$_sp_beside" | cut -c 1-64)" != "$sallyport_digest" ]; then
      _sp_count=0 _sp_seen='another digest'
      _sp_no E103 contract '' '' 'sha256:be104e003b29bc7738b167a5fadf736f83c73bf169bbabc890084edc2beabbc1' 'compile the contract again'
      return 78
    fi
  fi
  _sp_scope_of "$@"
  if [ -z "$_sp_named" ]; then _sp_wanted=${_sp_belongs:-runtime}; fi
  sallyport_check "$_sp_wanted" "$_sp_belongs" || return $?
  :
  if [ $# -gt 0 ]; then exec "$@"; fi
}

# Whether the words are the guard's own: $0 is this file, or there are none.
_sp_is_started() {
  [ $# -gt 0 ] || return 0
  [ -f "$0" ] && [ -r "$0" ] && { read -r _sp_mark && read -r _sp_mark; } <"$0" && [ "$_sp_mark" = '# Compiled by sallyport from ficecal.yaml. Do not edit it: compile the contract again.' ]
}

# A script has its words for itself. These a guard would take that was started in a way that hides it, such as through a pipe.
_sp_sourced() {
  case ${1-} in --scope | --) _sp_usage || return $? ;; esac
  _sp_main
}

if _sp_is_started "$@"; then _sp_main "$@"; else _sp_sourced "$@"; fi || exit $?
