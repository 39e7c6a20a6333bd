import type { GuardRules } from '../guard/index.ts'
import { quoted } from './sh-word.ts'

/** The second line of a guard in sh, by which it knows itself. */
export function guardMark({ file }: Pick<GuardRules, 'file'>): string {
  return `# Compiled by sallyport from ${file}. Do not edit it: compile the contract again.`
}

/** The part of a guard in sh that reads its words, checks, and becomes the command. */
export function shellLauncher(rules: GuardRules): string {
  const { defaultScope } = rules
  return `# The scope whose commands have this one: _sp_belongs, empty for none.
_sp_scope_of() { # command…
  _sp_program=\${1-} _sp_belongs=''
  _sp_program=\${_sp_program##*/}
${indented(scopeOfCommand(rules))}
}

_sp_usage() {
  echo 'usage: sh guard.sh [--scope SCOPE] [-- command…]' >&2
  return 64
}

_sp_main() {
  _sp_named='' _sp_wanted=''
  if [ "\${1-}" = --scope ] && [ $# -gt 1 ]; then
    _sp_named=yes _sp_wanted=$2
    shift 2
  fi
  if [ $# -gt 0 ]; then
    [ "$1" = -- ] || _sp_usage || return $?
    shift
  fi
  # \`exec\` would read it as an option, and start another word than the one whose scope is asked.
  case \${1-} in -*) _sp_usage || return $? ;; esac
  ${staleBeside(rules)}
  _sp_scope_of "$@"
  if [ -z "$_sp_named" ]; then _sp_wanted=\${_sp_belongs:-${defaultScope}}; fi
  sallyport_check "$_sp_wanted" "$_sp_belongs" || return $?
  ${keptBack(rules)}
  if [ $# -gt 0 ]; then exec "$@"; fi
}

# Whether the words are the guard's own: $0 is this file, or there are none.
_sp_is_started() {
  [ $# -gt 0 ] || return 0
  [ -f "$0" ] && [ -r "$0" ] && { read -r _sp_mark && read -r _sp_mark; } <"$0" && [ "$_sp_mark" = ${quoted(guardMark(rules))} ]
}

# A script has its words for itself. These a guard would take that was started in a way that hides it, such as through a pipe.
_sp_sourced() {
  case \${1-} in --scope | --) _sp_usage || return $? ;; esac
  _sp_main
}
`
}

/** As the interpreter's `scopeOf`: the first scope that has a fitting pattern. */
function scopeOfCommand({ scopes }: GuardRules): string {
  const branches = scopes.flatMap(({ name, commands }) =>
    commands.map((pattern) => `if ${fits(pattern)}; then _sp_belongs=${quoted(name)}`),
  )
  return branches.length === 0 ? ':' : `${branches.join('\nel')}\nfi`
}

/** Whether the words of a command fit a pattern. No command at all is one empty word, as to the interpreter. */
function fits(pattern: string): string {
  const wanted = pattern.split(' ').filter((word) => word !== '')
  const isOpen = wanted.at(-1) === '*'
  const closed = isOpen ? wanted.slice(0, -1) : wanted
  const words = closed.flatMap((word, index) =>
    word === '*' ? [] : [`[ "${index === 0 ? '$_sp_program' : `\${${index + 1}}`}" = ${quoted(word)} ]`],
  )
  return [...countFits(closed.length, isOpen), ...words].join(' && ') || ':'
}

function countFits(count: number, isOpen: boolean): readonly string[] {
  if (isOpen) return count < 2 ? [] : [`[ $# -ge ${count} ]`]
  if (count === 0) return ['false']
  return [count === 1 ? '[ $# -le 1 ]' : `[ $# -eq ${count} ]`]
}

/** A contract beside the guard must be the one that it was compiled from; `$0` is the guard when it is executed. */
function staleBeside({ file, digest }: GuardRules): string {
  const words = `_sp_count=0 _sp_seen='another digest'
      _sp_no E103 contract '' '' ${quoted(digest)} 'compile the contract again'
      return 78`
  return `case $0 in
    */*) _sp_beside=\${0%/*}/${file} ;;
    *) _sp_beside=${file} ;;
  esac
  if [ -e "$_sp_beside" ] && command -v sha256sum >/dev/null; then
    if [ "sha256:$(sha256sum <"$_sp_beside" | cut -c 1-64)" != "$sallyport_digest" ]; then
      ${words}
    fi
  fi`
}

function keptBack({ variables }: GuardRules): string {
  const internal = variables.filter((rule) => rule.internal).map(({ name }) => name)
  return internal.length === 0 ? ':' : `unset ${internal.join(' ')}`
}

function indented(text: string): string {
  return text.replace(/^(?=.)/gm, '  ')
}
