/** A variable of the environment as a guard in sh reads it: a condition that it is set, its text, and the same where it may be unset. */
export type ShellVariable = { readonly isSet: string; readonly text: string; readonly textOrEmpty: string }

export function shellVariable(name: string): ShellVariable {
  const at = isKept(name) ? copyOf(name) : name
  return { isSet: `[ "\${${at}+x}" ]`, text: `$${at}`, textOrEmpty: `\${${at}-}` }
}

/** Asks the environment, once, for what the checks read of variables that a shell keeps for itself; each costs another process. */
export function copyKept(checks: string): string {
  const names = new Set([...checks.matchAll(/_sp_env_(\w+)/g)].map(([, name = '']) => name))
  return [...names]
    .filter((name) => keptByShell.test(name))
    .map((name) => {
      const copy = copyOf(name)
      return `\n  unset ${copy}\n  if _sp_v=$(printenv ${name} && echo x); then ${copy}=\${_sp_v%?x}; fi`
    })
    .join('')
}

/** Variables that a shell keeps for itself, whether they were given or not: of these the environment is asked. */
const keptByShell =
  /^(BASH.*|COLUMNS|COMP_.*|DIRSTACK|EPOCH.*|EUID|FUNCNAME|GROUPS|HIST.*|HOSTNAME|HOSTTYPE|IFS|LINENO|LINES|MACHTYPE|MAILCHECK|OLDPWD|OPTARG|OPTERR|OPTIND|OSTYPE|PATH|PIPESTATUS|POSIXLY_CORRECT|PPID|PS[0-4]|PWD|RANDOM|SECONDS|SHELL|SHELLOPTS|SHLVL|SRANDOM|TERM|UID|_)$/

function isKept(name: string): boolean {
  // The guard itself sets LC_ALL, and keeps what it was.
  return name === 'LC_ALL' || keptByShell.test(name)
}

function copyOf(name: string): string {
  return `_sp_env_${name}`
}
