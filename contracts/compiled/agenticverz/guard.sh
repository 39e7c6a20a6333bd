#!/bin/sh
# Compiled by sallyport from agenticverz.yaml. Do not edit it: compile the contract again.
# contract agenticverz sha256:fc306137e18fdfd4971037370d69029b8a3cde018ae58c942854fa9d6ac79028
#
#   sh guard.sh [--scope runtime|migrate|seed] [-- command…]
#
# Refuses with exit code 78 and every problem on standard error; else becomes the command. Sourced, it checks the default scope, stops the
# script that sourced it, and leaves it its words; afterwards `sallyport_check SCOPE` asks for another scope.

# shellcheck disable=SC2034
sallyport_digest='sha256:fc306137e18fdfd4971037370d69029b8a3cde018ae58c942854fa9d6ac79028'

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

_sp_is_port() {
  case $_sp_v in
    '' | *[!0-9]* | ??????*) return 1 ;;
  esac
  [ "$_sp_v" -le 65535 ]
}

_sp_is_integer() {
  case ${_sp_v#-} in
    '' | *[!0-9]* | ????????????????*) return 1 ;;
  esac
}

_sp_is_number() {
  case ${_sp_v#-} in
    *.*.* | .* | *. | '' | *[!0-9.]*) return 1 ;;
    ?????????????????*) return 1 ;;
    *.*) return 0 ;;
    ????????????????*) return 1 ;;
  esac
}

# How the number is to a bound, given as sign, whole part and fraction of 15 digits: _sp_order is -1, 0 or 1.
_sp_compare() {
  _sp_whole=${_sp_v#-} _sp_fraction=''
  case $_sp_whole in *.*) _sp_fraction=${_sp_whole#*.} _sp_whole=${_sp_whole%%.*} ;; esac
  while [ ${#_sp_fraction} -lt 15 ]; do _sp_fraction=${_sp_fraction}0; done
  case $_sp_v in -*) _sp_sign=- ;; *) _sp_sign='' ;; esac
  if [ "$_sp_whole" -eq 0 ] && [ "$_sp_fraction" -eq 0 ]; then _sp_sign=''; fi
  if [ "$_sp_sign" != "$1" ]; then
    if [ -n "$_sp_sign" ]; then _sp_order=-1; else _sp_order=1; fi
    return 0
  fi
  if [ "$_sp_whole" -lt "$2" ]; then _sp_order=-1
  elif [ "$_sp_whole" -gt "$2" ]; then _sp_order=1
  elif [ "$_sp_fraction" -lt "$3" ]; then _sp_order=-1
  elif [ "$_sp_fraction" -gt "$3" ]; then _sp_order=1
  else _sp_order=0
  fi
  if [ -n "$_sp_sign" ]; then _sp_order=$((0 - _sp_order)); fi
}

_sp_is_list() {
  case $_sp_v in
    '' | ,* | *, | *,,*) return 1 ;;
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
  printf '%s %s · mode %s · scope %s · agenticverz.yaml\nNothing was started, and nothing was guessed.\n' "$_sp_count" "$_sp_words" "$_sp_mode" "$_sp_scope" >&2
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
    _sp_no E103 contract '' '' 'sha256:fc306137e18fdfd4971037370d69029b8a3cde018ae58c942854fa9d6ac79028' 'compile the contract again'
  fi
  case $_sp_scope in
    'runtime' | 'migrate' | 'seed') ;;
    *)
      _sp_v=$_sp_scope
      _sp_look no
      _sp_no E102 scope '' '' 'one of runtime, migrate, seed' 'name one of runtime, migrate, seed'
      ;;
  esac
  if [ "${AOS_MODE+x}" ] && [ "$AOS_MODE" = 'local' ] && [ "${DB_AUTHORITY+x}" ] && [ "$DB_AUTHORITY" = 'local' ]; then _sp_mode='LOCAL'
  elif [ "${AOS_MODE+x}" ] && [ "$AOS_MODE" = 'test' ] && [ "${DB_AUTHORITY+x}" ] && [ "$DB_AUTHORITY" = 'neon' ]; then _sp_mode='TEST'
  elif [ "${AOS_MODE+x}" ] && [ "$AOS_MODE" = 'preprod' ] && [ "${DB_AUTHORITY+x}" ] && [ "$DB_AUTHORITY" = 'neon' ]; then _sp_mode='PREPROD'
  elif [ "${AOS_MODE+x}" ] && [ "$AOS_MODE" = 'prod' ] && [ "${DB_AUTHORITY+x}" ] && [ "$DB_AUTHORITY" = 'neon' ]; then _sp_mode='PROD'
  else
    _sp_tuple=''
    _sp_v=${AOS_MODE-}
    if [ "${AOS_MODE+x}" ]; then _sp_look no; else _sp_seen='(not set)'; fi
    _sp_tuple="${_sp_tuple}AOS_MODE=$_sp_seen "
    _sp_v=${DB_AUTHORITY-}
    if [ "${DB_AUTHORITY+x}" ]; then _sp_look no; else _sp_seen='(not set)'; fi
    _sp_tuple="${_sp_tuple}DB_AUTHORITY=$_sp_seen "
    _sp_seen=$_sp_tuple
    _sp_no E101 mode 'Platform' '' 'AOS_MODE,DB_AUTHORITY as in LOCAL(local,local) TEST(test,neon) PREPROD(preprod,neon) PROD(prod,neon)' 'make them those of one mode'
  fi
  case "$_sp_scope $_sp_mode" in 'runtime TEST' | 'runtime PREPROD' | 'runtime PROD' | 'migrate '* | 'seed '*) _sp_missing=yes ;; *) _sp_missing=no ;; esac
  if [ "${DATABASE_URL+x}" ]; then
  _sp_v=$DATABASE_URL
  if [ -z "$_sp_v" ] && [ $_sp_missing = yes ]; then _sp_seen='set, but empty'; _sp_no E201 DATABASE_URL 'Platform' 'agenticverz/database, else secret/data/user/neon' 'a URI, with the scheme postgresql or postgres, required in TEST, PREPROD, PROD, and for migrate, seed' 'set DATABASE_URL from agenticverz/database'
  else
  if ! _sp_is_uri; then _sp_look yes; _sp_no E202 DATABASE_URL 'Platform' 'agenticverz/database, else secret/data/user/neon' 'a URI, with the scheme postgresql or postgres' 'set DATABASE_URL to a URI, with the scheme postgresql or postgres'
  elif [ "${_sp_v%%:*}" != 'postgresql' ] && [ "${_sp_v%%:*}" != 'postgres' ]; then _sp_look yes; _sp_no E206 DATABASE_URL 'Platform' 'agenticverz/database, else secret/data/user/neon' 'a URI, with the scheme postgresql or postgres' 'set DATABASE_URL to a URI, with the scheme postgresql or postgres'
  fi
  fi
  elif [ $_sp_missing = yes ]; then _sp_seen='not set'; _sp_no E201 DATABASE_URL 'Platform' 'agenticverz/database, else secret/data/user/neon' 'a URI, with the scheme postgresql or postgres, required in TEST, PREPROD, PROD, and for migrate, seed' 'set DATABASE_URL from agenticverz/database'
  fi
  if [ "${DATABASE_URL_ASYNC+x}" ]; then
  _sp_v=$DATABASE_URL_ASYNC
  if ! _sp_is_uri; then _sp_look yes; _sp_no E202 DATABASE_URL_ASYNC 'Platform' '' 'a URI' 'set DATABASE_URL_ASYNC to a URI'
  fi
  fi
  if [ "${REDIS_URL+x}" ]; then
  _sp_v=$REDIS_URL
  if ! _sp_is_uri; then _sp_look yes; _sp_no E202 REDIS_URL 'Platform' 'secret/data/user/upstash' 'a URI, with the scheme redis or rediss' 'set REDIS_URL to a URI, with the scheme redis or rediss'
  elif [ "${_sp_v%%:*}" != 'redis' ] && [ "${_sp_v%%:*}" != 'rediss' ]; then _sp_look yes; _sp_no E206 REDIS_URL 'Platform' 'secret/data/user/upstash' 'a URI, with the scheme redis or rediss' 'set REDIS_URL to a URI, with the scheme redis or rediss'
  fi
  fi
  if [ "${PORT+x}" ]; then
  _sp_v=$PORT
  if ! _sp_is_port; then _sp_look no; _sp_no E202 PORT 'Platform' '' 'a port from 0 to 65535' 'set PORT to a port from 0 to 65535'
  fi
  fi
  if [ "${DB_POOL_SIZE+x}" ]; then
  _sp_v=$DB_POOL_SIZE
  if ! _sp_is_integer; then _sp_look no; _sp_no E202 DB_POOL_SIZE 'Platform' '' 'a whole number, at least 0' 'set DB_POOL_SIZE to a whole number, at least 0'
  elif [ "$_sp_v" -lt 0 ]; then _sp_look no; _sp_no E205 DB_POOL_SIZE 'Platform' '' 'a whole number, at least 0' 'set DB_POOL_SIZE to a whole number, at least 0'
  fi
  fi
  if [ "${DB_MAX_OVERFLOW+x}" ]; then
  _sp_v=$DB_MAX_OVERFLOW
  if ! _sp_is_integer; then _sp_look no; _sp_no E202 DB_MAX_OVERFLOW 'Platform' '' 'a whole number, at least -1' 'set DB_MAX_OVERFLOW to a whole number, at least -1'
  elif [ "$_sp_v" -lt -1 ]; then _sp_look no; _sp_no E205 DB_MAX_OVERFLOW 'Platform' '' 'a whole number, at least -1' 'set DB_MAX_OVERFLOW to a whole number, at least -1'
  fi
  fi
  case "$_sp_scope $_sp_mode" in 'migrate '*) _sp_missing=yes ;; *) _sp_missing=no ;; esac
  if [ "${DB_ROLE+x}" ]; then
  _sp_v=$DB_ROLE
  if [ -z "$_sp_v" ] && [ $_sp_missing = yes ]; then _sp_seen='set, but empty'; _sp_no E201 DB_ROLE 'Platform' '' 'one of staging, prod, replica, required for migrate' 'set DB_ROLE'
  else
  if [ "$_sp_v" != 'staging' ] && [ "$_sp_v" != 'prod' ] && [ "$_sp_v" != 'replica' ]; then _sp_look no; _sp_no E203 DB_ROLE 'Platform' '' 'one of staging, prod, replica' 'set DB_ROLE to one of staging, prod, replica'
  fi
  fi
  elif [ $_sp_missing = yes ]; then _sp_seen='not set'; _sp_no E201 DB_ROLE 'Platform' '' 'one of staging, prod, replica, required for migrate' 'set DB_ROLE'
  fi
  if [ "${CONFIRM_PROD_MIGRATIONS+x}" ]; then
  _sp_v=$CONFIRM_PROD_MIGRATIONS
  if [ "$_sp_v" != true ] && [ "$_sp_v" != false ]; then _sp_look no; _sp_no E202 CONFIRM_PROD_MIGRATIONS 'Platform' '' 'true or false' 'set CONFIRM_PROD_MIGRATIONS to true or false'
  fi
  fi
  if [ "${AOS_USE_LEGACY_AUTH+x}" ]; then
  _sp_v=$AOS_USE_LEGACY_AUTH
  if [ "$_sp_v" != true ] && [ "$_sp_v" != false ]; then _sp_look no; _sp_no E202 AOS_USE_LEGACY_AUTH 'Auth' '' 'true or false' 'set AOS_USE_LEGACY_AUTH to true or false'
  fi
  fi
  if [ "${RBAC_ENABLED+x}" ]; then
  _sp_v=$RBAC_ENABLED
  if [ "$_sp_v" != true ] && [ "$_sp_v" != false ]; then _sp_look no; _sp_no E202 RBAC_ENABLED 'Auth' '' 'true or false' 'set RBAC_ENABLED to true or false'
  fi
  fi
  if [ "${RBAC_ENFORCE+x}" ]; then
  _sp_v=$RBAC_ENFORCE
  if [ "$_sp_v" != true ] && [ "$_sp_v" != false ]; then _sp_look no; _sp_no E202 RBAC_ENFORCE 'Auth' '' 'true or false' 'set RBAC_ENFORCE to true or false'
  fi
  fi
  if [ "${RBAC_FAIL_OPEN+x}" ]; then
  _sp_v=$RBAC_FAIL_OPEN
  case $_sp_mode in
  'LOCAL') if [ "$_sp_v" != 'false' ]; then _sp_look no; _sp_no E204 RBAC_FAIL_OPEN 'Auth' '' 'false' 'set RBAC_FAIL_OPEN=false'; fi ;;
  'TEST') if [ "$_sp_v" != 'false' ]; then _sp_look no; _sp_no E204 RBAC_FAIL_OPEN 'Auth' '' 'false' 'set RBAC_FAIL_OPEN=false'; fi ;;
  'PREPROD') if [ "$_sp_v" != 'false' ]; then _sp_look no; _sp_no E204 RBAC_FAIL_OPEN 'Auth' '' 'false' 'set RBAC_FAIL_OPEN=false'; fi ;;
  'PROD') if [ "$_sp_v" != 'false' ]; then _sp_look no; _sp_no E204 RBAC_FAIL_OPEN 'Auth' '' 'false' 'set RBAC_FAIL_OPEN=false'; fi ;;
  '?') if [ "$_sp_v" != 'false' ]; then _sp_look no; _sp_no E204 RBAC_FAIL_OPEN 'Auth' '' 'false' 'set RBAC_FAIL_OPEN=false'; fi ;;
  *)
  if [ "$_sp_v" != true ] && [ "$_sp_v" != false ]; then _sp_look no; _sp_no E202 RBAC_FAIL_OPEN 'Auth' '' 'true or false' 'set RBAC_FAIL_OPEN to true or false'
  fi
  ;;
  esac
  fi
  if [ "${RBAC_AUDIT_ENABLED+x}" ]; then
  _sp_v=$RBAC_AUDIT_ENABLED
  if [ "$_sp_v" != true ] && [ "$_sp_v" != false ]; then _sp_look no; _sp_no E202 RBAC_AUDIT_ENABLED 'Auth' '' 'true or false' 'set RBAC_AUDIT_ENABLED to true or false'
  fi
  fi
  if [ "${RBAC_SHADOW_AUDIT+x}" ]; then
  _sp_v=$RBAC_SHADOW_AUDIT
  if [ "$_sp_v" != true ] && [ "$_sp_v" != false ]; then _sp_look no; _sp_no E202 RBAC_SHADOW_AUDIT 'Auth' '' 'true or false' 'set RBAC_SHADOW_AUDIT to true or false'
  fi
  fi
  if [ "${AUTHZ_STRICT_MODE+x}" ]; then
  _sp_v=$AUTHZ_STRICT_MODE
  if [ "$_sp_v" != true ] && [ "$_sp_v" != false ]; then _sp_look no; _sp_no E202 AUTHZ_STRICT_MODE 'Auth' '' 'true or false' 'set AUTHZ_STRICT_MODE to true or false'
  fi
  fi
  if [ "${AUTH_GATEWAY_ENABLED+x}" ]; then
  _sp_v=$AUTH_GATEWAY_ENABLED
  if [ "$_sp_v" != true ] && [ "$_sp_v" != false ]; then _sp_look no; _sp_no E202 AUTH_GATEWAY_ENABLED 'Auth' '' 'true or false' 'set AUTH_GATEWAY_ENABLED to true or false'
  fi
  fi
  if [ "${AUTH_GATEWAY_REQUIRED+x}" ]; then
  _sp_v=$AUTH_GATEWAY_REQUIRED
  if [ "$_sp_v" != true ] && [ "$_sp_v" != false ]; then _sp_look no; _sp_no E202 AUTH_GATEWAY_REQUIRED 'Auth' '' 'true or false' 'set AUTH_GATEWAY_REQUIRED to true or false'
  fi
  fi
  if [ "${AUTH_SERVICE_URL+x}" ]; then
  _sp_v=$AUTH_SERVICE_URL
  if ! _sp_is_uri; then _sp_look no; _sp_no E202 AUTH_SERVICE_URL 'Auth' '' 'a URI' 'set AUTH_SERVICE_URL to a URI'
  fi
  fi
  if [ "${AUTH_SERVICE_TIMEOUT+x}" ]; then
  _sp_v=$AUTH_SERVICE_TIMEOUT
  if ! _sp_is_number; then _sp_look no; _sp_no E202 AUTH_SERVICE_TIMEOUT 'Auth' '' 'a number, at least 0' 'set AUTH_SERVICE_TIMEOUT to a number, at least 0'
  elif _sp_compare '' 0 000000000000000; [ $_sp_order -eq -1 ]; then _sp_look no; _sp_no E205 AUTH_SERVICE_TIMEOUT 'Auth' '' 'a number, at least 0' 'set AUTH_SERVICE_TIMEOUT to a number, at least 0'
  fi
  fi
  if [ "${DEV_AUTH_ENABLED+x}" ]; then
  _sp_v=$DEV_AUTH_ENABLED
  if [ "$_sp_v" != true ] && [ "$_sp_v" != false ]; then _sp_look no; _sp_no E202 DEV_AUTH_ENABLED 'Auth' '' 'true or false' 'set DEV_AUTH_ENABLED to true or false'
  fi
  fi
  if [ "${NEW_AUTH_SHADOW_ENABLED+x}" ]; then
  _sp_v=$NEW_AUTH_SHADOW_ENABLED
  if [ "$_sp_v" != true ] && [ "$_sp_v" != false ]; then _sp_look no; _sp_no E202 NEW_AUTH_SHADOW_ENABLED 'Auth' '' 'true or false' 'set NEW_AUTH_SHADOW_ENABLED to true or false'
  fi
  fi
  if [ "${OIDC_ISSUER_URL+x}" ]; then
  _sp_v=$OIDC_ISSUER_URL
  if ! _sp_is_uri; then _sp_look no; _sp_no E202 OIDC_ISSUER_URL 'Auth' '' 'a URI' 'set OIDC_ISSUER_URL to a URI'
  fi
  fi
  if [ "${OIDC_VERIFY_SSL+x}" ]; then
  _sp_v=$OIDC_VERIFY_SSL
  if [ "$_sp_v" != true ] && [ "$_sp_v" != false ]; then _sp_look no; _sp_no E202 OIDC_VERIFY_SSL 'Auth' '' 'true or false' 'set OIDC_VERIFY_SSL to true or false'
  fi
  fi
  if [ "${OIDC_ALLOWED_AUDIENCES+x}" ]; then
  _sp_v=$OIDC_ALLOWED_AUDIENCES
  if ! _sp_is_list; then _sp_look no; _sp_no E202 OIDC_ALLOWED_AUDIENCES 'Auth' '' 'items separated by commas' 'set OIDC_ALLOWED_AUDIENCES to items separated by commas'
  fi
  fi
  if [ "${OIDC_JWKS_URI+x}" ]; then
  _sp_v=$OIDC_JWKS_URI
  if ! _sp_is_uri; then _sp_look no; _sp_no E202 OIDC_JWKS_URI 'Auth' '' 'a URI' 'set OIDC_JWKS_URI to a URI'
  fi
  fi
  if [ "${OIDC_JWKS_URL+x}" ]; then
  _sp_v=$OIDC_JWKS_URL
  if ! _sp_is_uri; then _sp_look no; _sp_no E202 OIDC_JWKS_URL 'Auth' '' 'a URI' 'set OIDC_JWKS_URL to a URI'
  fi
  fi
  if [ "${CLERK_ISSUER_URL+x}" ]; then
  _sp_v=$CLERK_ISSUER_URL
  if ! _sp_is_uri; then _sp_look no; _sp_no E202 CLERK_ISSUER_URL 'Auth' '' 'a URI' 'set CLERK_ISSUER_URL to a URI'
  fi
  fi
  if [ "${CLERK_ISSUERS+x}" ]; then
  _sp_v=$CLERK_ISSUERS
  if ! _sp_is_list; then _sp_look no; _sp_no E202 CLERK_ISSUERS 'Auth' '' 'items separated by commas' 'set CLERK_ISSUERS to items separated by commas'
  fi
  fi
  if [ "${CLERK_JWKS_URL+x}" ]; then
  _sp_v=$CLERK_JWKS_URL
  if ! _sp_is_uri; then _sp_look no; _sp_no E202 CLERK_JWKS_URL 'Auth' '' 'a URI' 'set CLERK_JWKS_URL to a URI'
  fi
  fi
  if [ "${JWT_VERIFY_SIGNATURE+x}" ]; then
  _sp_v=$JWT_VERIFY_SIGNATURE
  case $_sp_mode in
  'LOCAL') if [ "$_sp_v" != 'true' ]; then _sp_look no; _sp_no E204 JWT_VERIFY_SIGNATURE 'Auth' '' 'true' 'set JWT_VERIFY_SIGNATURE=true'; fi ;;
  'TEST') if [ "$_sp_v" != 'true' ]; then _sp_look no; _sp_no E204 JWT_VERIFY_SIGNATURE 'Auth' '' 'true' 'set JWT_VERIFY_SIGNATURE=true'; fi ;;
  'PREPROD') if [ "$_sp_v" != 'true' ]; then _sp_look no; _sp_no E204 JWT_VERIFY_SIGNATURE 'Auth' '' 'true' 'set JWT_VERIFY_SIGNATURE=true'; fi ;;
  'PROD') if [ "$_sp_v" != 'true' ]; then _sp_look no; _sp_no E204 JWT_VERIFY_SIGNATURE 'Auth' '' 'true' 'set JWT_VERIFY_SIGNATURE=true'; fi ;;
  '?') if [ "$_sp_v" != 'true' ]; then _sp_look no; _sp_no E204 JWT_VERIFY_SIGNATURE 'Auth' '' 'true' 'set JWT_VERIFY_SIGNATURE=true'; fi ;;
  *)
  if [ "$_sp_v" != true ] && [ "$_sp_v" != false ]; then _sp_look no; _sp_no E202 JWT_VERIFY_SIGNATURE 'Auth' '' 'true or false' 'set JWT_VERIFY_SIGNATURE to true or false'
  fi
  ;;
  esac
  fi
  if [ "${JWT_ALLOW_DEV_TOKEN+x}" ]; then
  _sp_v=$JWT_ALLOW_DEV_TOKEN
  if [ "$_sp_v" != true ] && [ "$_sp_v" != false ]; then _sp_look no; _sp_no E202 JWT_ALLOW_DEV_TOKEN 'Auth' '' 'true or false' 'set JWT_ALLOW_DEV_TOKEN to true or false'
  fi
  fi
  if [ "${LLM_ALLOWED_MODELS+x}" ]; then
  _sp_v=$LLM_ALLOWED_MODELS
  if ! _sp_is_list; then _sp_look no; _sp_no E202 LLM_ALLOWED_MODELS 'LLM' '' 'items separated by commas' 'set LLM_ALLOWED_MODELS to items separated by commas'
  fi
  fi
  if [ "${LLM_MAX_TOKENS_PER_REQUEST+x}" ]; then
  _sp_v=$LLM_MAX_TOKENS_PER_REQUEST
  if ! _sp_is_integer; then _sp_look no; _sp_no E202 LLM_MAX_TOKENS_PER_REQUEST 'LLM' '' 'a whole number, at least 0' 'set LLM_MAX_TOKENS_PER_REQUEST to a whole number, at least 0'
  elif [ "$_sp_v" -lt 0 ]; then _sp_look no; _sp_no E205 LLM_MAX_TOKENS_PER_REQUEST 'LLM' '' 'a whole number, at least 0' 'set LLM_MAX_TOKENS_PER_REQUEST to a whole number, at least 0'
  fi
  fi
  if [ "${LLM_MAX_COMPLETION_TOKENS+x}" ]; then
  _sp_v=$LLM_MAX_COMPLETION_TOKENS
  if ! _sp_is_integer; then _sp_look no; _sp_no E202 LLM_MAX_COMPLETION_TOKENS 'LLM' '' 'a whole number, at least 0' 'set LLM_MAX_COMPLETION_TOKENS to a whole number, at least 0'
  elif [ "$_sp_v" -lt 0 ]; then _sp_look no; _sp_no E205 LLM_MAX_COMPLETION_TOKENS 'LLM' '' 'a whole number, at least 0' 'set LLM_MAX_COMPLETION_TOKENS to a whole number, at least 0'
  fi
  fi
  if [ "${LLM_MAX_COST_CENTS_PER_REQUEST+x}" ]; then
  _sp_v=$LLM_MAX_COST_CENTS_PER_REQUEST
  if ! _sp_is_number; then _sp_look no; _sp_no E202 LLM_MAX_COST_CENTS_PER_REQUEST 'LLM' '' 'a number, at least 0' 'set LLM_MAX_COST_CENTS_PER_REQUEST to a number, at least 0'
  elif _sp_compare '' 0 000000000000000; [ $_sp_order -eq -1 ]; then _sp_look no; _sp_no E205 LLM_MAX_COST_CENTS_PER_REQUEST 'LLM' '' 'a number, at least 0' 'set LLM_MAX_COST_CENTS_PER_REQUEST to a number, at least 0'
  fi
  fi
  if [ "${LLM_REQUESTS_PER_MINUTE+x}" ]; then
  _sp_v=$LLM_REQUESTS_PER_MINUTE
  if ! _sp_is_integer; then _sp_look no; _sp_no E202 LLM_REQUESTS_PER_MINUTE 'LLM' '' 'a whole number, at least 0' 'set LLM_REQUESTS_PER_MINUTE to a whole number, at least 0'
  elif [ "$_sp_v" -lt 0 ]; then _sp_look no; _sp_no E205 LLM_REQUESTS_PER_MINUTE 'LLM' '' 'a whole number, at least 0' 'set LLM_REQUESTS_PER_MINUTE to a whole number, at least 0'
  fi
  fi
  if [ "${LLM_DAILY_LIMIT_CENTS+x}" ]; then
  _sp_v=$LLM_DAILY_LIMIT_CENTS
  if ! _sp_is_number; then _sp_look no; _sp_no E202 LLM_DAILY_LIMIT_CENTS 'LLM' '' 'a number, at least 0' 'set LLM_DAILY_LIMIT_CENTS to a number, at least 0'
  elif _sp_compare '' 0 000000000000000; [ $_sp_order -eq -1 ]; then _sp_look no; _sp_no E205 LLM_DAILY_LIMIT_CENTS 'LLM' '' 'a number, at least 0' 'set LLM_DAILY_LIMIT_CENTS to a number, at least 0'
  fi
  fi
  if [ "${LLM_BUDGET_CENTS+x}" ]; then
  _sp_v=$LLM_BUDGET_CENTS
  if ! _sp_is_number; then _sp_look no; _sp_no E202 LLM_BUDGET_CENTS 'LLM' '' 'a number, at least 0' 'set LLM_BUDGET_CENTS to a number, at least 0'
  elif _sp_compare '' 0 000000000000000; [ $_sp_order -eq -1 ]; then _sp_look no; _sp_no E205 LLM_BUDGET_CENTS 'LLM' '' 'a number, at least 0' 'set LLM_BUDGET_CENTS to a number, at least 0'
  fi
  fi
  if [ "${LLM_CACHE_ENABLED+x}" ]; then
  _sp_v=$LLM_CACHE_ENABLED
  if [ "$_sp_v" != true ] && [ "$_sp_v" != false ]; then _sp_look no; _sp_no E202 LLM_CACHE_ENABLED 'LLM' '' 'true or false' 'set LLM_CACHE_ENABLED to true or false'
  fi
  fi
  if [ "${LLM_CACHE_TTL+x}" ]; then
  _sp_v=$LLM_CACHE_TTL
  if ! _sp_is_number; then _sp_look no; _sp_no E202 LLM_CACHE_TTL 'LLM' '' 'a number, at least 0' 'set LLM_CACHE_TTL to a number, at least 0'
  elif _sp_compare '' 0 000000000000000; [ $_sp_order -eq -1 ]; then _sp_look no; _sp_no E205 LLM_CACHE_TTL 'LLM' '' 'a number, at least 0' 'set LLM_CACHE_TTL to a number, at least 0'
  fi
  fi
  if [ "${LLM_CACHE_MAX_SIZE+x}" ]; then
  _sp_v=$LLM_CACHE_MAX_SIZE
  if ! _sp_is_integer; then _sp_look no; _sp_no E202 LLM_CACHE_MAX_SIZE 'LLM' '' 'a whole number, at least 0' 'set LLM_CACHE_MAX_SIZE to a whole number, at least 0'
  elif [ "$_sp_v" -lt 0 ]; then _sp_look no; _sp_no E205 LLM_CACHE_MAX_SIZE 'LLM' '' 'a whole number, at least 0' 'set LLM_CACHE_MAX_SIZE to a whole number, at least 0'
  fi
  fi
  if [ "${LLM_ENFORCE_SAFETY+x}" ]; then
  _sp_v=$LLM_ENFORCE_SAFETY
  if [ "$_sp_v" != true ] && [ "$_sp_v" != false ]; then _sp_look no; _sp_no E202 LLM_ENFORCE_SAFETY 'LLM' '' 'true or false' 'set LLM_ENFORCE_SAFETY to true or false'
  fi
  fi
  if [ "${LLM_RISK_THRESHOLD+x}" ]; then
  _sp_v=$LLM_RISK_THRESHOLD
  if ! _sp_is_number; then _sp_look no; _sp_no E202 LLM_RISK_THRESHOLD 'LLM' '' 'a number' 'set LLM_RISK_THRESHOLD to a number'
  fi
  fi
  if [ "${LLM_MAX_TEMPERATURE+x}" ]; then
  _sp_v=$LLM_MAX_TEMPERATURE
  if ! _sp_is_number; then _sp_look no; _sp_no E202 LLM_MAX_TEMPERATURE 'LLM' '' 'a number, at least 0' 'set LLM_MAX_TEMPERATURE to a number, at least 0'
  elif _sp_compare '' 0 000000000000000; [ $_sp_order -eq -1 ]; then _sp_look no; _sp_no E205 LLM_MAX_TEMPERATURE 'LLM' '' 'a number, at least 0' 'set LLM_MAX_TEMPERATURE to a number, at least 0'
  fi
  fi
  if [ "${WORKER_CONCURRENCY+x}" ]; then
  _sp_v=$WORKER_CONCURRENCY
  if ! _sp_is_integer; then _sp_look no; _sp_no E202 WORKER_CONCURRENCY 'Worker' '' 'a whole number, at least 1' 'set WORKER_CONCURRENCY to a whole number, at least 1'
  elif [ "$_sp_v" -lt 1 ]; then _sp_look no; _sp_no E205 WORKER_CONCURRENCY 'Worker' '' 'a whole number, at least 1' 'set WORKER_CONCURRENCY to a whole number, at least 1'
  fi
  fi
  if [ "${WORKER_POLL_INTERVAL+x}" ]; then
  _sp_v=$WORKER_POLL_INTERVAL
  if ! _sp_is_number; then _sp_look no; _sp_no E202 WORKER_POLL_INTERVAL 'Worker' '' 'a number, at least 0' 'set WORKER_POLL_INTERVAL to a number, at least 0'
  elif _sp_compare '' 0 000000000000000; [ $_sp_order -eq -1 ]; then _sp_look no; _sp_no E205 WORKER_POLL_INTERVAL 'Worker' '' 'a number, at least 0' 'set WORKER_POLL_INTERVAL to a number, at least 0'
  fi
  fi
  if [ "${WORKER_BATCH_SIZE+x}" ]; then
  _sp_v=$WORKER_BATCH_SIZE
  if ! _sp_is_integer; then _sp_look no; _sp_no E202 WORKER_BATCH_SIZE 'Worker' '' 'a whole number, at least 1' 'set WORKER_BATCH_SIZE to a whole number, at least 1'
  elif [ "$_sp_v" -lt 1 ]; then _sp_look no; _sp_no E205 WORKER_BATCH_SIZE 'Worker' '' 'a whole number, at least 1' 'set WORKER_BATCH_SIZE to a whole number, at least 1'
  fi
  fi
  if [ "${RUN_MAX_ATTEMPTS+x}" ]; then
  _sp_v=$RUN_MAX_ATTEMPTS
  if ! _sp_is_integer; then _sp_look no; _sp_no E202 RUN_MAX_ATTEMPTS 'Worker' '' 'a whole number, at least 1' 'set RUN_MAX_ATTEMPTS to a whole number, at least 1'
  elif [ "$_sp_v" -lt 1 ]; then _sp_look no; _sp_no E205 RUN_MAX_ATTEMPTS 'Worker' '' 'a whole number, at least 1' 'set RUN_MAX_ATTEMPTS to a whole number, at least 1'
  fi
  fi
  if [ "${WORKFLOW_EMERGENCY_STOP+x}" ]; then
  _sp_v=$WORKFLOW_EMERGENCY_STOP
  if [ "$_sp_v" != true ] && [ "$_sp_v" != false ]; then _sp_look no; _sp_no E202 WORKFLOW_EMERGENCY_STOP 'Worker' '' 'true or false' 'set WORKFLOW_EMERGENCY_STOP to true or false'
  fi
  fi
  if [ "${CONCURRENT_SLOT_TIMEOUT+x}" ]; then
  _sp_v=$CONCURRENT_SLOT_TIMEOUT
  if ! _sp_is_number; then _sp_look no; _sp_no E202 CONCURRENT_SLOT_TIMEOUT 'Worker' '' 'a number, at least 0' 'set CONCURRENT_SLOT_TIMEOUT to a number, at least 0'
  elif _sp_compare '' 0 000000000000000; [ $_sp_order -eq -1 ]; then _sp_look no; _sp_no E205 CONCURRENT_SLOT_TIMEOUT 'Worker' '' 'a number, at least 0' 'set CONCURRENT_SLOT_TIMEOUT to a number, at least 0'
  fi
  fi
  if [ "${ENFORCE_TENANCY+x}" ]; then
  _sp_v=$ENFORCE_TENANCY
  if [ "$_sp_v" != true ] && [ "$_sp_v" != false ]; then _sp_look no; _sp_no E202 ENFORCE_TENANCY 'Platform' '' 'true or false' 'set ENFORCE_TENANCY to true or false'
  fi
  fi
  case "$_sp_scope $_sp_mode" in 'runtime LOCAL' | 'runtime PROD' | 'migrate LOCAL' | 'migrate PROD' | 'seed LOCAL' | 'seed PROD') _sp_missing=yes ;; *) _sp_missing=no ;; esac
  if [ "${CUSTOMER_SANDBOX_ENABLED+x}" ]; then
  _sp_v=$CUSTOMER_SANDBOX_ENABLED
  if [ -z "$_sp_v" ] && [ $_sp_missing = yes ]; then _sp_seen='set, but empty'; _sp_no E201 CUSTOMER_SANDBOX_ENABLED 'Platform' '' 'true or false, required in LOCAL, PROD' 'set CUSTOMER_SANDBOX_ENABLED'
  else
  case $_sp_mode in
  'LOCAL') if [ "$_sp_v" != 'true' ]; then _sp_look no; _sp_no E204 CUSTOMER_SANDBOX_ENABLED 'Platform' '' 'true' 'set CUSTOMER_SANDBOX_ENABLED=true'; fi ;;
  'PREPROD') if [ "$_sp_v" != 'false' ]; then _sp_look no; _sp_no E204 CUSTOMER_SANDBOX_ENABLED 'Platform' '' 'false' 'set CUSTOMER_SANDBOX_ENABLED=false'; fi ;;
  'PROD') if [ "$_sp_v" != 'false' ]; then _sp_look no; _sp_no E204 CUSTOMER_SANDBOX_ENABLED 'Platform' '' 'false' 'set CUSTOMER_SANDBOX_ENABLED=false'; fi ;;
  *)
  if [ "$_sp_v" != true ] && [ "$_sp_v" != false ]; then _sp_look no; _sp_no E202 CUSTOMER_SANDBOX_ENABLED 'Platform' '' 'true or false' 'set CUSTOMER_SANDBOX_ENABLED to true or false'
  fi
  ;;
  esac
  fi
  elif [ $_sp_missing = yes ]; then _sp_seen='not set'; _sp_no E201 CUSTOMER_SANDBOX_ENABLED 'Platform' '' 'true or false, required in LOCAL, PROD' 'set CUSTOMER_SANDBOX_ENABLED'
  fi
  if [ "${DEFAULT_TENANT_BUDGET_CENTS+x}" ]; then
  _sp_v=$DEFAULT_TENANT_BUDGET_CENTS
  if ! _sp_is_number; then _sp_look no; _sp_no E202 DEFAULT_TENANT_BUDGET_CENTS 'Platform' '' 'a number, at least 0' 'set DEFAULT_TENANT_BUDGET_CENTS to a number, at least 0'
  elif _sp_compare '' 0 000000000000000; [ $_sp_order -eq -1 ]; then _sp_look no; _sp_no E205 DEFAULT_TENANT_BUDGET_CENTS 'Platform' '' 'a number, at least 0' 'set DEFAULT_TENANT_BUDGET_CENTS to a number, at least 0'
  fi
  fi
  if [ "${DEFAULT_TENANT_RATE_LIMIT+x}" ]; then
  _sp_v=$DEFAULT_TENANT_RATE_LIMIT
  if ! _sp_is_integer; then _sp_look no; _sp_no E202 DEFAULT_TENANT_RATE_LIMIT 'Platform' '' 'a whole number, at least 0' 'set DEFAULT_TENANT_RATE_LIMIT to a whole number, at least 0'
  elif [ "$_sp_v" -lt 0 ]; then _sp_look no; _sp_no E205 DEFAULT_TENANT_RATE_LIMIT 'Platform' '' 'a whole number, at least 0' 'set DEFAULT_TENANT_RATE_LIMIT to a whole number, at least 0'
  fi
  fi
  if [ "${HOC_DENY_AS_404+x}" ]; then
  _sp_v=$HOC_DENY_AS_404
  if [ "$_sp_v" != true ] && [ "$_sp_v" != false ]; then _sp_look no; _sp_no E202 HOC_DENY_AS_404 'Console' '' 'true or false' 'set HOC_DENY_AS_404 to true or false'
  fi
  fi
  if [ "${HOC_DOCS_ENABLED+x}" ]; then
  _sp_v=$HOC_DOCS_ENABLED
  if [ "$_sp_v" != true ] && [ "$_sp_v" != false ]; then _sp_look no; _sp_no E202 HOC_DOCS_ENABLED 'Console' '' 'true or false' 'set HOC_DOCS_ENABLED to true or false'
  fi
  fi
  if [ "${R2_ENDPOINT+x}" ]; then
  _sp_v=$R2_ENDPOINT
  if ! _sp_is_uri; then _sp_look no; _sp_no E202 R2_ENDPOINT 'Storage' 'secret/data/user/r2' 'a URI' 'set R2_ENDPOINT to a URI'
  fi
  fi
  if [ "${R2_RETENTION_DAYS+x}" ]; then
  _sp_v=$R2_RETENTION_DAYS
  if ! _sp_is_integer; then _sp_look no; _sp_no E202 R2_RETENTION_DAYS 'Storage' '' 'a whole number, at least 0' 'set R2_RETENTION_DAYS to a whole number, at least 0'
  elif [ "$_sp_v" -lt 0 ]; then _sp_look no; _sp_no E205 R2_RETENTION_DAYS 'Storage' '' 'a whole number, at least 0' 'set R2_RETENTION_DAYS to a whole number, at least 0'
  fi
  fi
  if [ "${R2_MAX_RETRIES+x}" ]; then
  _sp_v=$R2_MAX_RETRIES
  if ! _sp_is_integer; then _sp_look no; _sp_no E202 R2_MAX_RETRIES 'Storage' '' 'a whole number, at least 0' 'set R2_MAX_RETRIES to a whole number, at least 0'
  elif [ "$_sp_v" -lt 0 ]; then _sp_look no; _sp_no E205 R2_MAX_RETRIES 'Storage' '' 'a whole number, at least 0' 'set R2_MAX_RETRIES to a whole number, at least 0'
  fi
  fi
  if [ "${AGG_LOCAL_FALLBACK+x}" ]; then
  _sp_v=$AGG_LOCAL_FALLBACK
  if [ "$_sp_v" != true ] && [ "$_sp_v" != false ]; then _sp_look no; _sp_no E202 AGG_LOCAL_FALLBACK 'Storage' '' 'true or false' 'set AGG_LOCAL_FALLBACK to true or false'
  fi
  fi
  if [ "${ARTIFACT_S3_ENDPOINT+x}" ]; then
  _sp_v=$ARTIFACT_S3_ENDPOINT
  if ! _sp_is_uri; then _sp_look no; _sp_no E202 ARTIFACT_S3_ENDPOINT 'Storage' '' 'a URI' 'set ARTIFACT_S3_ENDPOINT to a URI'
  fi
  fi
  if [ "${CHECKPOINT_RETENTION_DAYS+x}" ]; then
  _sp_v=$CHECKPOINT_RETENTION_DAYS
  if ! _sp_is_integer; then _sp_look no; _sp_no E202 CHECKPOINT_RETENTION_DAYS 'Platform' '' 'a whole number, at least 0' 'set CHECKPOINT_RETENTION_DAYS to a whole number, at least 0'
  elif [ "$_sp_v" -lt 0 ]; then _sp_look no; _sp_no E205 CHECKPOINT_RETENTION_DAYS 'Platform' '' 'a whole number, at least 0' 'set CHECKPOINT_RETENTION_DAYS to a whole number, at least 0'
  fi
  fi
  if [ "${CHECKPOINT_OFFLOAD_OLDER_THAN_DAYS+x}" ]; then
  _sp_v=$CHECKPOINT_OFFLOAD_OLDER_THAN_DAYS
  if ! _sp_is_integer; then _sp_look no; _sp_no E202 CHECKPOINT_OFFLOAD_OLDER_THAN_DAYS 'Platform' '' 'a whole number, at least 0' 'set CHECKPOINT_OFFLOAD_OLDER_THAN_DAYS to a whole number, at least 0'
  elif [ "$_sp_v" -lt 0 ]; then _sp_look no; _sp_no E205 CHECKPOINT_OFFLOAD_OLDER_THAN_DAYS 'Platform' '' 'a whole number, at least 0' 'set CHECKPOINT_OFFLOAD_OLDER_THAN_DAYS to a whole number, at least 0'
  fi
  fi
  if [ "${CHECKPOINT_OFFLOAD_BATCH_SIZE+x}" ]; then
  _sp_v=$CHECKPOINT_OFFLOAD_BATCH_SIZE
  if ! _sp_is_integer; then _sp_look no; _sp_no E202 CHECKPOINT_OFFLOAD_BATCH_SIZE 'Platform' '' 'a whole number, at least 1' 'set CHECKPOINT_OFFLOAD_BATCH_SIZE to a whole number, at least 1'
  elif [ "$_sp_v" -lt 1 ]; then _sp_look no; _sp_no E205 CHECKPOINT_OFFLOAD_BATCH_SIZE 'Platform' '' 'a whole number, at least 1' 'set CHECKPOINT_OFFLOAD_BATCH_SIZE to a whole number, at least 1'
  fi
  fi
  if [ "${CHECKPOINT_OFFLOAD_MAX_RETRIES+x}" ]; then
  _sp_v=$CHECKPOINT_OFFLOAD_MAX_RETRIES
  if ! _sp_is_integer; then _sp_look no; _sp_no E202 CHECKPOINT_OFFLOAD_MAX_RETRIES 'Platform' '' 'a whole number, at least 0' 'set CHECKPOINT_OFFLOAD_MAX_RETRIES to a whole number, at least 0'
  elif [ "$_sp_v" -lt 0 ]; then _sp_look no; _sp_no E205 CHECKPOINT_OFFLOAD_MAX_RETRIES 'Platform' '' 'a whole number, at least 0' 'set CHECKPOINT_OFFLOAD_MAX_RETRIES to a whole number, at least 0'
  fi
  fi
  if [ "${ALERTMANAGER_URL+x}" ]; then
  _sp_v=$ALERTMANAGER_URL
  if ! _sp_is_uri; then _sp_look no; _sp_no E202 ALERTMANAGER_URL 'SRE' '' 'a URI' 'set ALERTMANAGER_URL to a URI'
  fi
  fi
  if [ "${ALERTMANAGER_TIMEOUT+x}" ]; then
  _sp_v=$ALERTMANAGER_TIMEOUT
  if ! _sp_is_number; then _sp_look no; _sp_no E202 ALERTMANAGER_TIMEOUT 'SRE' '' 'a number, at least 0' 'set ALERTMANAGER_TIMEOUT to a number, at least 0'
  elif _sp_compare '' 0 000000000000000; [ $_sp_order -eq -1 ]; then _sp_look no; _sp_no E205 ALERTMANAGER_TIMEOUT 'SRE' '' 'a number, at least 0' 'set ALERTMANAGER_TIMEOUT to a number, at least 0'
  fi
  fi
  if [ "${ALERTMANAGER_RETRY_ATTEMPTS+x}" ]; then
  _sp_v=$ALERTMANAGER_RETRY_ATTEMPTS
  if ! _sp_is_integer; then _sp_look no; _sp_no E202 ALERTMANAGER_RETRY_ATTEMPTS 'SRE' '' 'a whole number, at least 0' 'set ALERTMANAGER_RETRY_ATTEMPTS to a whole number, at least 0'
  elif [ "$_sp_v" -lt 0 ]; then _sp_look no; _sp_no E205 ALERTMANAGER_RETRY_ATTEMPTS 'SRE' '' 'a whole number, at least 0' 'set ALERTMANAGER_RETRY_ATTEMPTS to a whole number, at least 0'
  fi
  fi
  if [ "${ALERTMANAGER_RETRY_DELAY+x}" ]; then
  _sp_v=$ALERTMANAGER_RETRY_DELAY
  if ! _sp_is_number; then _sp_look no; _sp_no E202 ALERTMANAGER_RETRY_DELAY 'SRE' '' 'a number, at least 0' 'set ALERTMANAGER_RETRY_DELAY to a number, at least 0'
  elif _sp_compare '' 0 000000000000000; [ $_sp_order -eq -1 ]; then _sp_look no; _sp_no E205 ALERTMANAGER_RETRY_DELAY 'SRE' '' 'a number, at least 0' 'set ALERTMANAGER_RETRY_DELAY to a number, at least 0'
  fi
  fi
  if [ "${ALERT_FATIGUE_ENABLED+x}" ]; then
  _sp_v=$ALERT_FATIGUE_ENABLED
  if [ "$_sp_v" != true ] && [ "$_sp_v" != false ]; then _sp_look no; _sp_no E202 ALERT_FATIGUE_ENABLED 'SRE' '' 'true or false' 'set ALERT_FATIGUE_ENABLED to true or false'
  fi
  fi
  if [ "${ALERT_DEDUP_WINDOW_SECONDS+x}" ]; then
  _sp_v=$ALERT_DEDUP_WINDOW_SECONDS
  if ! _sp_is_number; then _sp_look no; _sp_no E202 ALERT_DEDUP_WINDOW_SECONDS 'SRE' '' 'a number, at least 0' 'set ALERT_DEDUP_WINDOW_SECONDS to a number, at least 0'
  elif _sp_compare '' 0 000000000000000; [ $_sp_order -eq -1 ]; then _sp_look no; _sp_no E205 ALERT_DEDUP_WINDOW_SECONDS 'SRE' '' 'a number, at least 0' 'set ALERT_DEDUP_WINDOW_SECONDS to a number, at least 0'
  fi
  fi
  if [ "${MAX_ALERTS_PER_TENANT_PER_HOUR+x}" ]; then
  _sp_v=$MAX_ALERTS_PER_TENANT_PER_HOUR
  if ! _sp_is_integer; then _sp_look no; _sp_no E202 MAX_ALERTS_PER_TENANT_PER_HOUR 'SRE' '' 'a whole number, at least 0' 'set MAX_ALERTS_PER_TENANT_PER_HOUR to a whole number, at least 0'
  elif [ "$_sp_v" -lt 0 ]; then _sp_look no; _sp_no E205 MAX_ALERTS_PER_TENANT_PER_HOUR 'SRE' '' 'a whole number, at least 0' 'set MAX_ALERTS_PER_TENANT_PER_HOUR to a whole number, at least 0'
  fi
  fi
  if [ "${HEALTH_CHECK_TIMEOUT_SECONDS+x}" ]; then
  _sp_v=$HEALTH_CHECK_TIMEOUT_SECONDS
  if ! _sp_is_number; then _sp_look no; _sp_no E202 HEALTH_CHECK_TIMEOUT_SECONDS 'SRE' '' 'a number, at least 0' 'set HEALTH_CHECK_TIMEOUT_SECONDS to a number, at least 0'
  elif _sp_compare '' 0 000000000000000; [ $_sp_order -eq -1 ]; then _sp_look no; _sp_no E205 HEALTH_CHECK_TIMEOUT_SECONDS 'SRE' '' 'a number, at least 0' 'set HEALTH_CHECK_TIMEOUT_SECONDS to a number, at least 0'
  fi
  fi
  if [ "${PER_RUN_MAX_CENTS+x}" ]; then
  _sp_v=$PER_RUN_MAX_CENTS
  if ! _sp_is_number; then _sp_look no; _sp_no E202 PER_RUN_MAX_CENTS 'Cost' '' 'a number, at least 0' 'set PER_RUN_MAX_CENTS to a number, at least 0'
  elif _sp_compare '' 0 000000000000000; [ $_sp_order -eq -1 ]; then _sp_look no; _sp_no E205 PER_RUN_MAX_CENTS 'Cost' '' 'a number, at least 0' 'set PER_RUN_MAX_CENTS to a number, at least 0'
  fi
  fi
  if [ "${PER_DAY_MAX_CENTS+x}" ]; then
  _sp_v=$PER_DAY_MAX_CENTS
  if ! _sp_is_number; then _sp_look no; _sp_no E202 PER_DAY_MAX_CENTS 'Cost' '' 'a number, at least 0' 'set PER_DAY_MAX_CENTS to a number, at least 0'
  elif _sp_compare '' 0 000000000000000; [ $_sp_order -eq -1 ]; then _sp_look no; _sp_no E205 PER_DAY_MAX_CENTS 'Cost' '' 'a number, at least 0' 'set PER_DAY_MAX_CENTS to a number, at least 0'
  fi
  fi
  if [ "${DEFAULT_EST_COST_CENTS+x}" ]; then
  _sp_v=$DEFAULT_EST_COST_CENTS
  if ! _sp_is_number; then _sp_look no; _sp_no E202 DEFAULT_EST_COST_CENTS 'Cost' '' 'a number, at least 0' 'set DEFAULT_EST_COST_CENTS to a number, at least 0'
  elif _sp_compare '' 0 000000000000000; [ $_sp_order -eq -1 ]; then _sp_look no; _sp_no E205 DEFAULT_EST_COST_CENTS 'Cost' '' 'a number, at least 0' 'set DEFAULT_EST_COST_CENTS to a number, at least 0'
  fi
  fi
  if [ "${DEFAULT_STEP_CEILING_CENTS+x}" ]; then
  _sp_v=$DEFAULT_STEP_CEILING_CENTS
  if ! _sp_is_number; then _sp_look no; _sp_no E202 DEFAULT_STEP_CEILING_CENTS 'Cost' '' 'a number, at least 0' 'set DEFAULT_STEP_CEILING_CENTS to a number, at least 0'
  elif _sp_compare '' 0 000000000000000; [ $_sp_order -eq -1 ]; then _sp_look no; _sp_no E205 DEFAULT_STEP_CEILING_CENTS 'Cost' '' 'a number, at least 0' 'set DEFAULT_STEP_CEILING_CENTS to a number, at least 0'
  fi
  fi
  if [ "${DEFAULT_WORKFLOW_CEILING_CENTS+x}" ]; then
  _sp_v=$DEFAULT_WORKFLOW_CEILING_CENTS
  if ! _sp_is_number; then _sp_look no; _sp_no E202 DEFAULT_WORKFLOW_CEILING_CENTS 'Cost' '' 'a number, at least 0' 'set DEFAULT_WORKFLOW_CEILING_CENTS to a number, at least 0'
  elif _sp_compare '' 0 000000000000000; [ $_sp_order -eq -1 ]; then _sp_look no; _sp_no E205 DEFAULT_WORKFLOW_CEILING_CENTS 'Cost' '' 'a number, at least 0' 'set DEFAULT_WORKFLOW_CEILING_CENTS to a number, at least 0'
  fi
  fi
  if [ "${BUDGET_ALERT_THRESHOLD+x}" ]; then
  _sp_v=$BUDGET_ALERT_THRESHOLD
  if ! _sp_is_number; then _sp_look no; _sp_no E202 BUDGET_ALERT_THRESHOLD 'Cost' '' 'a number' 'set BUDGET_ALERT_THRESHOLD to a number'
  fi
  fi
  if [ "${AUTO_PAUSE_ON_BREACH+x}" ]; then
  _sp_v=$AUTO_PAUSE_ON_BREACH
  if [ "$_sp_v" != true ] && [ "$_sp_v" != false ]; then _sp_look no; _sp_no E202 AUTO_PAUSE_ON_BREACH 'Cost' '' 'true or false' 'set AUTO_PAUSE_ON_BREACH to true or false'
  fi
  fi
  if [ "${GPT4_MAX_CENTS_PER_RUN+x}" ]; then
  _sp_v=$GPT4_MAX_CENTS_PER_RUN
  if ! _sp_is_number; then _sp_look no; _sp_no E202 GPT4_MAX_CENTS_PER_RUN 'Cost' '' 'a number, at least 0' 'set GPT4_MAX_CENTS_PER_RUN to a number, at least 0'
  elif _sp_compare '' 0 000000000000000; [ $_sp_order -eq -1 ]; then _sp_look no; _sp_no E205 GPT4_MAX_CENTS_PER_RUN 'Cost' '' 'a number, at least 0' 'set GPT4_MAX_CENTS_PER_RUN to a number, at least 0'
  fi
  fi
  if [ "${OPUS_MAX_CENTS_PER_RUN+x}" ]; then
  _sp_v=$OPUS_MAX_CENTS_PER_RUN
  if ! _sp_is_number; then _sp_look no; _sp_no E202 OPUS_MAX_CENTS_PER_RUN 'Cost' '' 'a number, at least 0' 'set OPUS_MAX_CENTS_PER_RUN to a number, at least 0'
  elif _sp_compare '' 0 000000000000000; [ $_sp_order -eq -1 ]; then _sp_look no; _sp_no E205 OPUS_MAX_CENTS_PER_RUN 'Cost' '' 'a number, at least 0' 'set OPUS_MAX_CENTS_PER_RUN to a number, at least 0'
  fi
  fi
  if [ "${COST_SPIKE_THRESHOLD_PERCENT+x}" ]; then
  _sp_v=$COST_SPIKE_THRESHOLD_PERCENT
  if ! _sp_is_number; then _sp_look no; _sp_no E202 COST_SPIKE_THRESHOLD_PERCENT 'Cost' '' 'a number, at least 0' 'set COST_SPIKE_THRESHOLD_PERCENT to a number, at least 0'
  elif _sp_compare '' 0 000000000000000; [ $_sp_order -eq -1 ]; then _sp_look no; _sp_no E205 COST_SPIKE_THRESHOLD_PERCENT 'Cost' '' 'a number, at least 0' 'set COST_SPIKE_THRESHOLD_PERCENT to a number, at least 0'
  fi
  fi
  if [ "${COST_SPIKE_MIN_RUNS+x}" ]; then
  _sp_v=$COST_SPIKE_MIN_RUNS
  if ! _sp_is_integer; then _sp_look no; _sp_no E202 COST_SPIKE_MIN_RUNS 'Cost' '' 'a whole number, at least 0' 'set COST_SPIKE_MIN_RUNS to a whole number, at least 0'
  elif [ "$_sp_v" -lt 0 ]; then _sp_look no; _sp_no E205 COST_SPIKE_MIN_RUNS 'Cost' '' 'a whole number, at least 0' 'set COST_SPIKE_MIN_RUNS to a whole number, at least 0'
  fi
  fi
  if [ "${COSTSIM_AUTO_RECOVER+x}" ]; then
  _sp_v=$COSTSIM_AUTO_RECOVER
  if [ "$_sp_v" != true ] && [ "$_sp_v" != false ]; then _sp_look no; _sp_no E202 COSTSIM_AUTO_RECOVER 'Analytics' '' 'true or false' 'set COSTSIM_AUTO_RECOVER to true or false'
  fi
  fi
  if [ "${COSTSIM_CANARY_ENABLED+x}" ]; then
  _sp_v=$COSTSIM_CANARY_ENABLED
  if [ "$_sp_v" != true ] && [ "$_sp_v" != false ]; then _sp_look no; _sp_no E202 COSTSIM_CANARY_ENABLED 'Analytics' '' 'true or false' 'set COSTSIM_CANARY_ENABLED to true or false'
  fi
  fi
  if [ "${COSTSIM_DISABLE_TTL_HOURS+x}" ]; then
  _sp_v=$COSTSIM_DISABLE_TTL_HOURS
  if ! _sp_is_number; then _sp_look no; _sp_no E202 COSTSIM_DISABLE_TTL_HOURS 'Analytics' '' 'a number, at least 0' 'set COSTSIM_DISABLE_TTL_HOURS to a number, at least 0'
  elif _sp_compare '' 0 000000000000000; [ $_sp_order -eq -1 ]; then _sp_look no; _sp_no E205 COSTSIM_DISABLE_TTL_HOURS 'Analytics' '' 'a number, at least 0' 'set COSTSIM_DISABLE_TTL_HOURS to a number, at least 0'
  fi
  fi
  if [ "${COSTSIM_DRIFT_THRESHOLD+x}" ]; then
  _sp_v=$COSTSIM_DRIFT_THRESHOLD
  if ! _sp_is_number; then _sp_look no; _sp_no E202 COSTSIM_DRIFT_THRESHOLD 'Analytics' '' 'a number' 'set COSTSIM_DRIFT_THRESHOLD to a number'
  fi
  fi
  if [ "${COSTSIM_DRIFT_WARNING_THRESHOLD+x}" ]; then
  _sp_v=$COSTSIM_DRIFT_WARNING_THRESHOLD
  if ! _sp_is_number; then _sp_look no; _sp_no E202 COSTSIM_DRIFT_WARNING_THRESHOLD 'Analytics' '' 'a number' 'set COSTSIM_DRIFT_WARNING_THRESHOLD to a number'
  fi
  fi
  if [ "${COSTSIM_FAILURE_THRESHOLD+x}" ]; then
  _sp_v=$COSTSIM_FAILURE_THRESHOLD
  if ! _sp_is_number; then _sp_look no; _sp_no E202 COSTSIM_FAILURE_THRESHOLD 'Analytics' '' 'a number' 'set COSTSIM_FAILURE_THRESHOLD to a number'
  fi
  fi
  if [ "${COSTSIM_PROVENANCE_ENABLED+x}" ]; then
  _sp_v=$COSTSIM_PROVENANCE_ENABLED
  if [ "$_sp_v" != true ] && [ "$_sp_v" != false ]; then _sp_look no; _sp_no E202 COSTSIM_PROVENANCE_ENABLED 'Analytics' '' 'true or false' 'set COSTSIM_PROVENANCE_ENABLED to true or false'
  fi
  fi
  if [ "${COSTSIM_SCHEMA_ERROR_THRESHOLD+x}" ]; then
  _sp_v=$COSTSIM_SCHEMA_ERROR_THRESHOLD
  if ! _sp_is_number; then _sp_look no; _sp_no E202 COSTSIM_SCHEMA_ERROR_THRESHOLD 'Analytics' '' 'a number' 'set COSTSIM_SCHEMA_ERROR_THRESHOLD to a number'
  fi
  fi
  if [ "${COSTSIM_USE_DB_CB+x}" ]; then
  _sp_v=$COSTSIM_USE_DB_CB
  if [ "$_sp_v" != true ] && [ "$_sp_v" != false ]; then _sp_look no; _sp_no E202 COSTSIM_USE_DB_CB 'Analytics' '' 'true or false' 'set COSTSIM_USE_DB_CB to true or false'
  fi
  fi
  if [ "${COSTSIM_V2_AUTO_DISABLE+x}" ]; then
  _sp_v=$COSTSIM_V2_AUTO_DISABLE
  if [ "$_sp_v" != true ] && [ "$_sp_v" != false ]; then _sp_look no; _sp_no E202 COSTSIM_V2_AUTO_DISABLE 'Analytics' '' 'true or false' 'set COSTSIM_V2_AUTO_DISABLE to true or false'
  fi
  fi
  if [ "${COSTSIM_V2_SANDBOX+x}" ]; then
  _sp_v=$COSTSIM_V2_SANDBOX
  if [ "$_sp_v" != true ] && [ "$_sp_v" != false ]; then _sp_look no; _sp_no E202 COSTSIM_V2_SANDBOX 'Analytics' '' 'true or false' 'set COSTSIM_V2_SANDBOX to true or false'
  fi
  fi
  if [ "${RATE_LIMIT_ENABLED+x}" ]; then
  _sp_v=$RATE_LIMIT_ENABLED
  if [ "$_sp_v" != true ] && [ "$_sp_v" != false ]; then _sp_look no; _sp_no E202 RATE_LIMIT_ENABLED 'Platform' '' 'true or false' 'set RATE_LIMIT_ENABLED to true or false'
  fi
  fi
  if [ "${RATE_LIMIT_DEFAULT_RPM+x}" ]; then
  _sp_v=$RATE_LIMIT_DEFAULT_RPM
  if ! _sp_is_integer; then _sp_look no; _sp_no E202 RATE_LIMIT_DEFAULT_RPM 'Platform' '' 'a whole number, at least 0' 'set RATE_LIMIT_DEFAULT_RPM to a whole number, at least 0'
  elif [ "$_sp_v" -lt 0 ]; then _sp_look no; _sp_no E205 RATE_LIMIT_DEFAULT_RPM 'Platform' '' 'a whole number, at least 0' 'set RATE_LIMIT_DEFAULT_RPM to a whole number, at least 0'
  fi
  fi
  if [ "${RATE_LIMIT_BURST_RPM+x}" ]; then
  _sp_v=$RATE_LIMIT_BURST_RPM
  if ! _sp_is_integer; then _sp_look no; _sp_no E202 RATE_LIMIT_BURST_RPM 'Platform' '' 'a whole number, at least 0' 'set RATE_LIMIT_BURST_RPM to a whole number, at least 0'
  elif [ "$_sp_v" -lt 0 ]; then _sp_look no; _sp_no E205 RATE_LIMIT_BURST_RPM 'Platform' '' 'a whole number, at least 0' 'set RATE_LIMIT_BURST_RPM to a whole number, at least 0'
  fi
  fi
  if [ "${HOC_PROBE_RATE_LIMIT_ENABLED+x}" ]; then
  _sp_v=$HOC_PROBE_RATE_LIMIT_ENABLED
  if [ "$_sp_v" != true ] && [ "$_sp_v" != false ]; then _sp_look no; _sp_no E202 HOC_PROBE_RATE_LIMIT_ENABLED 'Platform' '' 'true or false' 'set HOC_PROBE_RATE_LIMIT_ENABLED to true or false'
  fi
  fi
  if [ "${HOC_PROBE_RATE_PER_MIN+x}" ]; then
  _sp_v=$HOC_PROBE_RATE_PER_MIN
  if ! _sp_is_integer; then _sp_look no; _sp_no E202 HOC_PROBE_RATE_PER_MIN 'Platform' '' 'a whole number, at least 0' 'set HOC_PROBE_RATE_PER_MIN to a whole number, at least 0'
  elif [ "$_sp_v" -lt 0 ]; then _sp_look no; _sp_no E205 HOC_PROBE_RATE_PER_MIN 'Platform' '' 'a whole number, at least 0' 'set HOC_PROBE_RATE_PER_MIN to a whole number, at least 0'
  fi
  fi
  if [ "${SANDBOX_RATE_LIMIT_PER_MINUTE+x}" ]; then
  _sp_v=$SANDBOX_RATE_LIMIT_PER_MINUTE
  if ! _sp_is_integer; then _sp_look no; _sp_no E202 SANDBOX_RATE_LIMIT_PER_MINUTE 'Platform' '' 'a whole number, at least 0' 'set SANDBOX_RATE_LIMIT_PER_MINUTE to a whole number, at least 0'
  elif [ "$_sp_v" -lt 0 ]; then _sp_look no; _sp_no E205 SANDBOX_RATE_LIMIT_PER_MINUTE 'Platform' '' 'a whole number, at least 0' 'set SANDBOX_RATE_LIMIT_PER_MINUTE to a whole number, at least 0'
  fi
  fi
  if [ "${VAULT_ADDR+x}" ]; then
  _sp_v=$VAULT_ADDR
  if ! _sp_is_uri; then _sp_look no; _sp_no E202 VAULT_ADDR 'Platform' '' 'a URI, with the scheme https or http' 'set VAULT_ADDR to a URI, with the scheme https or http'
  elif [ "${_sp_v%%:*}" != 'https' ] && [ "${_sp_v%%:*}" != 'http' ]; then _sp_look no; _sp_no E206 VAULT_ADDR 'Platform' '' 'a URI, with the scheme https or http' 'set VAULT_ADDR to a URI, with the scheme https or http'
  fi
  fi
  if [ "${JWT_ALLOW_DEV_TOKEN+x}" ]; then
  _sp_v=$JWT_ALLOW_DEV_TOKEN
  case $_sp_v in
  '' | 0 | [Ff][Aa][Ll][Ss][Ee] | [Nn][Oo] | [Oo][Ff][Ff]) ;;
  *) _sp_look no; _sp_no E401 JWT_ALLOW_DEV_TOKEN 'Auth' '' 'not set, or false: forbidden everywhere by fake-jwts (critical-violation): Undermines trust model' 'unset JWT_ALLOW_DEV_TOKEN' ;;
  esac
  fi
  if [ "${DEV_AUTH_ENABLED+x}" ]; then
  _sp_v=$DEV_AUTH_ENABLED
  case $_sp_v in
  '' | 0 | [Ff][Aa][Ll][Ss][Ee] | [Nn][Oo] | [Oo][Ff][Ff]) ;;
  *) _sp_look no; _sp_no E401 DEV_AUTH_ENABLED 'Auth' '' 'not set, or false: forbidden everywhere by dev-bypass-flags (high): Security theater' 'unset DEV_AUTH_ENABLED' ;;
  esac
  fi
  if [ "${JWT_ALLOW_DEV_TOKEN+x}" ]; then
  _sp_v=$JWT_ALLOW_DEV_TOKEN
  case $_sp_v in
  '' | 0 | [Ff][Aa][Ll][Ss][Ee] | [Nn][Oo] | [Oo][Ff][Ff]) ;;
  *) _sp_look no; _sp_no E401 JWT_ALLOW_DEV_TOKEN 'Auth' '' 'not set, or false: forbidden everywhere by dev-bypass-flags (high): Security theater' 'unset JWT_ALLOW_DEV_TOKEN' ;;
  esac
  fi
  if [ "${DEV_DEFAULT_ROLE+x}" ]; then _sp_v=$DEV_DEFAULT_ROLE; _sp_look no; _sp_no E401 DEV_DEFAULT_ROLE 'Auth' '' 'not set: forbidden everywhere by dev-bypass-flags (high): Security theater' 'unset DEV_DEFAULT_ROLE'; fi
  if [ "${JWT_DEV_SECRET+x}" ]; then _sp_v=$JWT_DEV_SECRET; _sp_look yes; _sp_no E401 JWT_DEV_SECRET 'Auth' '' 'not set: forbidden everywhere by dev-bypass-flags (high): Security theater' 'unset JWT_DEV_SECRET'; fi
  _sp_migrates='' _sp_seen='what is set'
  if [ "$_sp_scope" = 'migrate' ]; then _sp_migrates=yes; fi
  case ${DB_ROLE-} in
  'staging')
  case $_sp_mode in 'PROD') _sp_no E303 DB_ROLE 'Platform' '' 'the role of the mode' 'set DB_ROLE to the role of the mode' ;; esac
  ;;
  'prod')
  if [ $_sp_migrates ] && [ "${CONFIRM_PROD_MIGRATIONS-}" != 'true' ]; then _sp_no E302 CONFIRM_PROD_MIGRATIONS 'Platform' '' 'true' 'set CONFIRM_PROD_MIGRATIONS=true if it is meant'; fi
  case $_sp_mode in 'LOCAL' | 'TEST' | 'PREPROD') _sp_no E303 DB_ROLE 'Platform' '' 'the role of the mode' 'set DB_ROLE to the role of the mode' ;; esac
  ;;
  'replica')
  if [ $_sp_migrates ]; then _sp_no E301 DB_ROLE 'Platform' '' 'staging or prod' 'point the migration to a database that takes it'; fi
  ;;
  esac
  if [ ! $_sp_migrates ] && [ "${CONFIRM_PROD_MIGRATIONS-}" = 'true' ]; then _sp_no E304 CONFIRM_PROD_MIGRATIONS 'Platform' '' 'not true' 'unset CONFIRM_PROD_MIGRATIONS, and set it for that one migration alone'; fi
}

# The scope whose commands have this one: _sp_belongs, empty for none.
_sp_scope_of() { # command…
  _sp_program=${1-} _sp_belongs=''
  _sp_program=${_sp_program##*/}
  if [ "$_sp_program" = 'alembic' ]; then _sp_belongs='migrate'
  elif [ $# -ge 3 ] && [ "$_sp_program" = 'python' ] && [ "${2}" = '-m' ] && [ "${3}" = 'alembic' ]; then _sp_belongs='migrate'
  elif [ $# -ge 3 ] && [ "$_sp_program" = 'python3' ] && [ "${2}" = '-m' ] && [ "${3}" = 'alembic' ]; then _sp_belongs='migrate'
  elif [ "$_sp_program" = 'psql' ]; then _sp_belongs='seed'
  fi
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
    */*) _sp_beside=${0%/*}/agenticverz.yaml ;;
    *) _sp_beside=agenticverz.yaml ;;
  esac
  if [ -e "$_sp_beside" ] && command -v sha256sum >/dev/null; then
    if [ "sha256:$(sha256sum <"$_sp_beside" | cut -c 1-64)" != "$sallyport_digest" ]; then
      _sp_count=0 _sp_seen='another digest'
      _sp_no E103 contract '' '' 'sha256:fc306137e18fdfd4971037370d69029b8a3cde018ae58c942854fa9d6ac79028' 'compile the contract again'
      return 78
    fi
  fi
  _sp_scope_of "$@"
  if [ -z "$_sp_named" ]; then _sp_wanted=${_sp_belongs:-runtime}; fi
  sallyport_check "$_sp_wanted" "$_sp_belongs" || return $?
  unset VAULT_TOKEN
  if [ $# -gt 0 ]; then exec "$@"; fi
}

# Whether the words are the guard's own: $0 is this file, or there are none.
_sp_is_started() {
  [ $# -gt 0 ] || return 0
  [ -f "$0" ] && [ -r "$0" ] && { read -r _sp_mark && read -r _sp_mark; } <"$0" && [ "$_sp_mark" = '# Compiled by sallyport from agenticverz.yaml. Do not edit it: compile the contract again.' ]
}

# A script has its words for itself. These a guard would take that was started in a way that hides it, such as through a pipe.
_sp_sourced() {
  case ${1-} in --scope | --) _sp_usage || return $? ;; esac
  _sp_main
}

if _sp_is_started "$@"; then _sp_main "$@"; else _sp_sourced "$@"; fi || exit $?
