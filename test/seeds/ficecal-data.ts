import { itemsAfter, ticked } from './tables.ts'

/** The lists of seed 001 as plain data: names, keys, references, modes and commands. */
export function readFicecal(text: string) {
  const [required = '', optional = ''] = section(text, 4).split('Optional secret-indirection keys')
  const [, policy = ''] = optional.split('Policy:')
  return {
    tracks: ticked(section(text, 2)),
    requiredKeys: listed(required),
    optionalKeys: listed(optional.split('Policy:')[0] ?? ''),
    neverIn: /No secrets in ([^.]+)\./.exec(policy)?.[1]?.split(/, (?:or )?/) ?? [],
    releaseBlocking: /for (\w+)\/(\w+) findings/
      .exec(section(text, 5))
      ?.slice(1)
      .map((word) => word.toLowerCase()),
    references: ticked(section(text, 3)).filter((name) => name.startsWith('cred://')),
    field: ticked(section(text, 3))[0],
    authMode: /`authMode` is constrained to `([^`]+)`/.exec(section(text, 3))?.[1],
    defaultAuthMode: /`authMode` defaults to `([^`]+)`/.exec(section(text, 6))?.[1],
    requiredModes: /required for ([a-z]+)\/([a-z]+)\./
      .exec(section(text, 6))
      ?.slice(1)
      .map((word) => word.toUpperCase()),
    validation: itemsAfter(text, '## 7. Validation anchors'),
    documents: itemsAfter(text, '## 8. Related documents'),
  }
}

function section(text: string, number: number): string {
  return text.split(new RegExp(`^## ${number}\\. `, 'm'))[1]?.split(/^## /m)[0] ?? ''
}

function listed(text: string): readonly string[] {
  return text.split('\n').flatMap((line) => (line.startsWith('- ') ? ticked(line) : []))
}
