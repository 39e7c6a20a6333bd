import {
  confirmationsOf,
  digestVariable,
  type GuardRules,
  migrateScope,
  unknownMode,
  type ValueRule,
  type VariableRule,
} from '../guard/index.ts'
import { posixExpression } from './portable-expression.ts'
import { guardMark, shellLauncher } from './sh-launcher.ts'
import { copyKept, shellVariable } from './sh-variables.ts'
import { quoted } from './sh-word.ts'

/**
 * A standalone guard for POSIX shells (dash, bash, busybox), without another process unless a contract has patterns, or names that a shell
 * sets by itself. It is a launcher: variables that are the launcher's alone are kept back from the command. It finds what the interpreter
 * finds, with shorter words.
 */
export function shellGuard(rules: GuardRules): string {
  const { file, name, digest, scopes, defaultScope } = rules
  const all = checks(rules)
  return `#!/bin/sh
${guardMark(rules)}
# contract ${name} ${digest}
#
#   sh guard.sh [--scope ${scopes.map((scope) => scope.name).join('|')}] [-- command…]
#
# Refuses with exit code 78 and every problem on standard error; else becomes the command. Sourced, it checks the default scope, stops the
# script that sourced it, and leaves it its words; afterwards \`sallyport_check SCOPE\` asks for another scope.

# shellcheck disable=SC2034
sallyport_digest=${quoted(digest)}

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
  printf 'error[%s] %s %s\\n' "$1" "$2" "$_sp_words" >&2
  printf '  found     %s\\n  expected  %s\\n' "$_sp_seen" "$5" >&2
  if [ -n "$3" ]; then printf '  owner     %s\\n' "$3" >&2; fi
  if [ -n "$4" ]; then printf '  secret    %s\\n' "$4" >&2; fi
  printf '  fix       %s\\n\\n' "$6" >&2
}

# Nothing is said of a sensitive value, nor of what could be one in the wrong place.
_sp_look() { # sensitive?
  case $_sp_v in
    '') _sp_seen='set, but empty' ;;
    *[!\\ -~]* | *://*[@?]* | *[@?]*://*) _sp_seen='set, not shown' ;;
    ????????????????????????????????*) _sp_seen='set, not shown' ;;
    *) if [ "$1" = yes ]; then _sp_seen='set, not shown'; else _sp_seen=$_sp_v; fi ;;
  esac
}
${valueFunctions(rules)}
# sallyport_check [scope [scope of the command]]: 0, or 78 when the environment is not as the contract says.
sallyport_check() {
  # Ranges of characters are those of ASCII; what it was before comes back.
  unset _sp_env_LC_ALL
  if [ "\${LC_ALL+x}" ]; then _sp_env_LC_ALL=$LC_ALL; fi
  LC_ALL=C${copyKept(all)}
  _sp_count=0 _sp_v='' _sp_seen='' _sp_words='' _sp_mode='${unknownMode}' _sp_scope=\${1-${defaultScope}} _sp_belongs=\${2-}
  _sp_all
  if [ "\${_sp_env_LC_ALL+x}" ]; then LC_ALL=$_sp_env_LC_ALL; else unset LC_ALL; fi
  [ "$_sp_count" = 0 ] && return 0
  case $_sp_count in 1) _sp_words=problem ;; *) _sp_words=problems ;; esac
  printf '%s %s · mode %s · scope %s · ${file}\\nNothing was started, and nothing was guessed.\\n' "$_sp_count" "$_sp_words" "$_sp_mode" "$_sp_scope" >&2
  return 78
}

_sp_all() {
${all}}

${shellLauncher(rules)}
if _sp_is_started "$@"; then _sp_main "$@"; else _sp_sourced "$@"; fi || exit $?
`
}

function checks(rules: GuardRules): string {
  const { discriminators, variables } = rules
  return [
    foreignCommand,
    stale(rules),
    scopeCheck(rules),
    modeCheck(rules),
    ...variables.flatMap((rule) => (discriminators.includes(rule.name) ? [] : variableCheck(rule, rules))),
    ...rules.prohibitions.map((one) => prohibitionCheck(one, rules)),
    ...(rules.migration ? [migrationCheck(rules.migration, rules)] : []),
  ]
    .filter((text) => text !== '')
    .map((text) => `${text.replace(/^(?=.)/gm, '  ')}\n`)
    .join('')
}

/** Whoever says `runtime` to a migration is refused. */
const foreignCommand = `case $_sp_belongs in
  '' | "$_sp_scope") ;;
  *)
    _sp_v=$_sp_scope
    _sp_look no
    _sp_no E102 scope '' '' "$_sp_belongs" "leave --scope out, or say $_sp_belongs"
    ;;
esac`

function stale({ digest }: GuardRules): string {
  return `if [ "\${${digestVariable}-$sallyport_digest}" != "$sallyport_digest" ]; then
  _sp_seen='another digest'
  _sp_no E103 contract '' '' ${quoted(digest)} 'compile the contract again'
fi`
}

function scopeCheck({ scopes }: GuardRules): string {
  const names = scopes.map(({ name }) => name)
  return `case $_sp_scope in
  ${names.map(quoted).join(' | ')}) ;;
  *)
    _sp_v=$_sp_scope
    _sp_look no
    _sp_no E102 scope '' '' ${quoted(`one of ${names.join(', ')}`)} ${quoted(`name one of ${names.join(', ')}`)}
    ;;
esac`
}

function modeCheck({ modes, discriminators, variables }: GuardRules): string {
  const branches = modes.map(({ name, match }) => {
    const tests = discriminators.map((one) => {
      const { isSet, text } = shellVariable(one)
      return `${isSet} && [ "${text}" = ${quoted(match[one] ?? '')} ]`
    })
    return `if ${tests.join(' && ')}; then _sp_mode=${quoted(name)}`
  })
  const owners = [
    ...new Set(variables.filter(({ name }) => discriminators.includes(name)).map(({ owner }) => owner)),
  ]
  const tuples = modes.map(
    ({ name, match }) => `${name}(${discriminators.map((one) => match[one]).join(',')})`,
  )
  const seen = discriminators.map((one) => {
    const { isSet, textOrEmpty } = shellVariable(one)
    return `_sp_v=${textOrEmpty}
  if ${isSet}; then _sp_look no; else _sp_seen='(not set)'; fi
  _sp_tuple="\${_sp_tuple}${one}=$_sp_seen "`
  })
  return `${branches.join('\nel')}
else
  _sp_tuple=''
  ${seen.join('\n  ')}
  _sp_seen=$_sp_tuple
  _sp_no E101 mode ${quoted(owners.join(', '))} '' ${quoted(`${discriminators.join(',')} as in ${tuples.join(' ')}`)} 'make them those of one mode'
fi`
}

function variableCheck(rule: VariableRule, rules: GuardRules): string {
  const { name, owner, secretPaths, sensitive, constByMode, expected, requiredWords } = rule
  const faults = valueFaults(rule.value)
  const required = requiredPatterns(rule, rules)
  if (faults.length === 0 && required === '' && constByMode.size === 0) return ''
  const { isSet, text } = shellVariable(name)
  const take = `_sp_v=${text}`
  const refuse = (code: string, wanted: string, fix: string) =>
    `_sp_look ${sensitive ? 'yes' : 'no'}; _sp_no ${code} ${name} ${quoted(owner)} ${quoted(secretPaths.join(', else '))} ${wanted} ${fix}`
  const [path] = secretPaths
  const from = path === undefined || path === 'unspecified' ? '' : ` from ${path}`
  const words = requiredWords === 'always' ? '' : `, required ${requiredWords}`
  const missing =
    required === ''
      ? ''
      : `case "$_sp_scope $_sp_mode" in ${required}) _sp_missing=yes ;; *) _sp_missing=no ;; esac\n`
  const sayMissing = `_sp_no E201 ${name} ${quoted(owner)} ${quoted(secretPaths.join(', else '))} ${quoted(`${expected}${words}`)} ${quoted(`set ${name}${from}`)}`
  const bad = faults.map(
    ([condition, code]) =>
      `if ${condition}; then ${refuse(code, quoted(expected), quoted(`set ${name} to ${expected}`))}`,
  )
  const asked = bad.length === 0 ? ':' : `${bad.join('\nel')}\nfi`
  const fixed =
    constByMode.size === 0
      ? asked
      : `case $_sp_mode in
${[...constByMode].map(([mode, value]) => `${quoted(mode)}) if [ "$_sp_v" != ${quoted(value)} ]; then ${refuse('E204', quoted(value), quoted(`set ${name}=${value}`))}; fi ;;`).join('\n')}
*)
${asked}
;;
esac`
  if (required === '') return `if ${isSet}; then\n${take}\n${fixed}\nfi`
  return `${missing}if ${isSet}; then
${take}
if [ -z "$_sp_v" ] && [ $_sp_missing = yes ]; then _sp_seen='set, but empty'; ${sayMissing}
else
${fixed}
fi
elif [ $_sp_missing = yes ]; then _sp_seen='not set'; ${sayMissing}
fi`
}

/** Patterns of \`case\` for scope and mode. */
function requiredPatterns({ requiredAt }: VariableRule, { modes }: GuardRules): string {
  const byScope = new Map<string, string[]>()
  for (const pair of requiredAt) {
    const [scope = '', mode = ''] = pair.split(' ')
    byScope.set(scope, [...(byScope.get(scope) ?? []), mode])
  }
  return [...byScope]
    .flatMap(([scope, names]) =>
      names.length > modes.length
        ? [`${quoted(`${scope} `)}*`]
        : names.map((mode) => quoted(`${scope} ${mode}`)),
    )
    .join(' | ')
}

/** Commands that succeed where the text is wrong, each with its code, in the order in which they are asked. */
function valueFaults(value: ValueRule): readonly (readonly [string, string])[] {
  const faults: (readonly [string, string])[] = []
  if (value.kind === 'boolean') faults.push(['[ "$_sp_v" != true ] && [ "$_sp_v" != false ]', 'E202'])
  else if (value.kind !== 'text') faults.push([`! _sp_is_${value.kind}`, 'E202'])
  if ('enum' in value && value.enum)
    faults.push([value.enum.map((text) => `[ "$_sp_v" != ${quoted(text)} ]`).join(' && '), 'E203'])
  const compare = value.kind === 'number' ? decimalBelow : wholeBelow
  if ('minimum' in value && value.minimum !== undefined)
    faults.push([compare('below', value.minimum), 'E205'])
  if ('maximum' in value && value.maximum !== undefined)
    faults.push([compare('above', value.maximum), 'E205'])
  if ('schemes' in value && value.schemes)
    faults.push([
      value.schemes.map((scheme) => `[ "\${_sp_v%%:*}" != ${quoted(scheme)} ]`).join(' && '),
      'E206',
    ])
  if ('pattern' in value && value.pattern !== undefined)
    faults.push([`! _sp_matches ${quoted(posixExpression(value.pattern))}`, 'E207'])
  return faults
}

/** A whole number against a bound that may have a fraction. */
function wholeBelow(side: 'below' | 'above', bound: number): string {
  return side === 'below' ? `[ "$_sp_v" -lt ${Math.ceil(bound)} ]` : `[ "$_sp_v" -gt ${Math.floor(bound)} ]`
}

function decimalBelow(side: 'below' | 'above', bound: number): string {
  const [whole = '0', fraction = ''] = String(Math.abs(bound)).split('.')
  const sign = bound < 0 ? '-' : ''
  const answer = side === 'below' ? -1 : 1
  return `_sp_compare '${sign}' ${whole} ${fraction.padEnd(15, '0')}; [ $_sp_order -eq ${answer} ]`
}

const functions: Readonly<Record<string, string>> = {
  integer: `
_sp_is_integer() {
  case \${_sp_v#-} in
    '' | *[!0-9]* | ????????????????*) return 1 ;;
  esac
}
`,
  number: `
_sp_is_number() {
  case \${_sp_v#-} in
    *.*.* | .* | *. | '' | *[!0-9.]*) return 1 ;;
    ?????????????????*) return 1 ;;
    *.*) return 0 ;;
    ????????????????*) return 1 ;;
  esac
}

# How the number is to a bound, given as sign, whole part and fraction of 15 digits: _sp_order is -1, 0 or 1.
_sp_compare() {
  _sp_whole=\${_sp_v#-} _sp_fraction=''
  case $_sp_whole in *.*) _sp_fraction=\${_sp_whole#*.} _sp_whole=\${_sp_whole%%.*} ;; esac
  while [ \${#_sp_fraction} -lt 15 ]; do _sp_fraction=\${_sp_fraction}0; done
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
`,
  port: `
_sp_is_port() {
  case $_sp_v in
    '' | *[!0-9]* | ??????*) return 1 ;;
  esac
  [ "$_sp_v" -le 65535 ]
}
`,
  uri: `
_sp_is_uri() {
  case $_sp_v in
    *[!!-~]* | [!A-Za-z]* | *:) _sp_rest=\${_sp_v#*:} ;;
    *:*) _sp_rest=ok ;;
    *) return 1 ;;
  esac
  case $_sp_v in
    *[!!-~]* | [!A-Za-z]*) return 1 ;;
  esac
  [ -n "$_sp_rest" ] || return 1
  case \${_sp_v%%:*} in
    *[!A-Za-z0-9+.-]*) return 1 ;;
  esac
}
`,
  duration: `
_sp_is_duration() {
  case $_sp_v in
    *ms) _sp_digits=\${_sp_v%ms} ;;
    *[smhd]) _sp_digits=\${_sp_v%?} ;;
    *) _sp_digits=$_sp_v ;;
  esac
  case $_sp_digits in
    '' | *[!0-9]* | ??????????*) return 1 ;;
  esac
}
`,
  list: `
_sp_is_list() {
  case $_sp_v in
    '' | ,* | *, | *,,*) return 1 ;;
  esac
}
`,
}

const matchesFunction = `
# Patterns are asked of printable ASCII alone, of at most 1024 characters.
_sp_matches() {
  case $_sp_v in *[!\\ -~]*) return 1 ;; esac
  [ \${#_sp_v} -le 1024 ] || return 1
  printf '%s\\n' "$_sp_v" | grep -Eq -e "$1"
}
`

function valueFunctions({ variables }: GuardRules): string {
  const kinds = new Set(variables.map(({ value }) => value.kind))
  const hasPattern = variables.some(({ value }) => 'pattern' in value && value.pattern !== undefined)
  return `${[...kinds].map((kind) => functions[kind] ?? '').join('')}${kinds.has('json') ? jsonFunction : ''}${hasPattern ? matchesFunction : ''}`
}

/** A pushdown automaton over RFC 8259; what is open stands in \`_sp_open\`, innermost first. */
const jsonFunction = `
_sp_is_json() {
  _sp_text=$_sp_v _sp_open='' _sp_want=value _sp_blank=$(printf ' \\t\\n\\rx') _sp_control=$(printf '\\001-\\037x')
  _sp_blank=\${_sp_blank%x} _sp_control=\${_sp_control%x}
  while :; do
    while :; do
      case $_sp_text in
        [$_sp_blank]*) _sp_text=\${_sp_text#?} ;;
        *) break ;;
      esac
    done
    case $_sp_want:$_sp_text in
      end:) [ -z "$_sp_open" ]; return ;;
      end:,*)
        case $_sp_open in
          a*) _sp_want=value ;;
          o*) _sp_want=name ;;
          *) return 1 ;;
        esac
        _sp_text=\${_sp_text#?} ;;
      end:] | end:]* | first:]*)
        case $_sp_open in a*) ;; *) return 1 ;; esac
        _sp_open=\${_sp_open#?} _sp_text=\${_sp_text#?} _sp_want=end ;;
      end:\\}* | names:\\}*)
        case $_sp_open in o*) ;; *) return 1 ;; esac
        _sp_open=\${_sp_open#?} _sp_text=\${_sp_text#?} _sp_want=end ;;
      colon::*) _sp_text=\${_sp_text#?} _sp_want=value ;;
      name:\\"* | names:\\"*) _sp_json_string || return 1; _sp_want=colon ;;
      value:\\"* | first:\\"*) _sp_json_string || return 1; _sp_want=end ;;
      value:\\{* | first:\\{*) _sp_open=o$_sp_open _sp_text=\${_sp_text#?} _sp_want=names ;;
      value:\\[* | first:\\[*) _sp_open=a$_sp_open _sp_text=\${_sp_text#?} _sp_want=first ;;
      value:true* | first:true* | value:null* | first:null*) _sp_text=\${_sp_text#????} _sp_want=end ;;
      value:false* | first:false*) _sp_text=\${_sp_text#?????} _sp_want=end ;;
      value:[-0-9]* | first:[-0-9]*) _sp_json_number || return 1; _sp_want=end ;;
      *) return 1 ;;
    esac
    [ \${#_sp_open} -le 64 ] || return 1
  done
}

_sp_json_string() {
  _sp_text=\${_sp_text#?}
  while :; do
    _sp_plain=\${_sp_text%%[\\"\\\\]*}
    case $_sp_plain in *[$_sp_control]*) return 1 ;; esac
    _sp_text=\${_sp_text#"$_sp_plain"}
    case $_sp_text in
      \\"*) _sp_text=\${_sp_text#?}; return 0 ;;
      \\\\[\\"\\\\/bfnrt]*) _sp_text=\${_sp_text#??} ;;
      \\\\u[0-9A-Fa-f][0-9A-Fa-f][0-9A-Fa-f][0-9A-Fa-f]*) _sp_text=\${_sp_text#??????} ;;
      *) return 1 ;;
    esac
  done
}

_sp_json_number() {
  _sp_number=\${_sp_text%%[!-+.0-9eE]*}
  _sp_text=\${_sp_text#"$_sp_number"} _sp_number=\${_sp_number#-}
  case $_sp_number in
    *[eE]*)
      _sp_power=\${_sp_number#*[eE]} _sp_number=\${_sp_number%%[eE]*}
      case $_sp_power in [-+]*) _sp_power=\${_sp_power#?} ;; esac
      case $_sp_power in '' | *[!0-9]*) return 1 ;; esac ;;
  esac
  case $_sp_number in
    *.*)
      case \${_sp_number#*.} in '' | *[!0-9]*) return 1 ;; esac
      _sp_number=\${_sp_number%%.*} ;;
  esac
  case $_sp_number in 0) ;; '' | 0* | *[!0-9]*) return 1 ;; esac
}
`

function prohibitionCheck(
  { id, reason, severity, when, variable }: GuardRules['prohibitions'][number],
  { variables }: GuardRules,
): string {
  const rule = variables.find(({ name }) => name === variable)
  const sensitive = (rule?.sensitive ?? true) ? 'yes' : 'no'
  const words = `${when === 'truthy' ? 'not set, or false' : 'not set'}: forbidden everywhere by ${id} (${severity}): ${reason}`
  const say = `_sp_look ${sensitive}; _sp_no E401 ${variable} ${quoted(rule?.owner ?? '')} ${quoted((rule?.secretPaths ?? []).join(', else '))} ${quoted(words)} ${quoted(`unset ${variable}`)}`
  const { isSet, text } = shellVariable(variable)
  const take = `_sp_v=${text}`
  if (when === 'present') return `if ${isSet}; then ${take}; ${say}; fi`
  return `if ${isSet}; then
${take}
case $_sp_v in
'' | 0 | [Ff][Aa][Ll][Ss][Ee] | [Nn][Oo] | [Oo][Ff][Ff]) ;;
*) ${say} ;;
esac
fi`
}

function migrationCheck(migration: NonNullable<GuardRules['migration']>, rules: GuardRules): string {
  const { variable, roles, roleByMode } = migration
  const ownerOf = (name: string) => quoted(rules.variables.find((rule) => rule.name === name)?.owner ?? '')
  const takers = roles.flatMap((role) => (role.migrate === 'deny' ? [] : [role.name])).join(' or ')
  const branches = roles.map(({ name, migrate, confirm }) => {
    const lines: string[] = []
    if (migrate === 'deny')
      lines.push(
        `if [ $_sp_migrates ]; then _sp_no E301 ${variable} ${ownerOf(variable)} '' ${quoted(takers)} 'point the migration to a database that takes it'; fi`,
      )
    if (confirm && migrate === 'confirm')
      lines.push(
        `if [ $_sp_migrates ] && [ "${shellVariable(confirm.variable).textOrEmpty}" != ${quoted(confirm.value)} ]; then _sp_no E302 ${confirm.variable} ${ownerOf(confirm.variable)} '' ${quoted(confirm.value)} ${quoted(`set ${confirm.variable}=${confirm.value} if it is meant`)}; fi`,
      )
    const strangers = Object.entries(roleByMode).filter(([, role]) => role !== name)
    if (migrate !== 'deny' && strangers.length > 0)
      lines.push(
        `case $_sp_mode in ${strangers.map(([mode]) => quoted(mode)).join(' | ')}) _sp_no E303 ${variable} ${ownerOf(variable)} '' 'the role of the mode' ${quoted(`set ${variable} to the role of the mode`)} ;; esac`,
      )
    return `${quoted(name)})\n${lines.length === 0 ? ':' : lines.join('\n')}\n;;`
  })
  const standing = confirmationsOf(migration).map(
    (one) =>
      `if [ ! $_sp_migrates ] && [ "${shellVariable(one.variable).textOrEmpty}" = ${quoted(one.value)} ]; then _sp_no E304 ${one.variable} ${ownerOf(one.variable)} '' ${quoted(`not ${one.value}`)} ${quoted(`unset ${one.variable}, and set it for that one migration alone`)}; fi`,
  )
  return [
    `_sp_migrates='' _sp_seen='what is set'`,
    `if [ "$_sp_scope" = ${quoted(migrateScope)} ]; then _sp_migrates=yes; fi`,
    `case ${shellVariable(variable).textOrEmpty} in\n${branches.join('\n')}\nesac`,
    ...standing,
  ].join('\n')
}
