import { headings, itemsAfter, tableAfter, ticked } from './tables.ts'

/** The tables of seed 003 as plain data: names, owners, paths, keys and values. */
export function readAgenticverz(text: string) {
  return {
    modes: tableAfter(text, '## 1. Environment Modes (Canonical)').map(([name, mode, authority]) => ({
      name,
      AOS_MODE: mode,
      DB_AUTHORITY: authority,
    })),
    planes: tableAfter(text, '## 3. Auth Planes (Non-Negotiable)').map(
      ([name = '', header = '', endpoints = '']) => ({
        name: name.toLowerCase(),
        header: header.split(/[: ]/)[0],
        endpoints: endpoints.split(', ').filter((endpoint) => endpoint.startsWith('/')),
      }),
    ),
    sandboxHeader: ticked(itemsAfterRaw(text, '### LOCAL', 'Header'))[0],
    roles: tableAfter(text, '### DB_ROLE Values').map(([name, meaning, allowed = '']) => ({
      name,
      meaning,
      migrate: allowed.includes('confirmation') ? 'confirm' : allowed.includes('YES') ? 'allow' : 'deny',
    })),
    roleByEnvironment: tableAfter(text, '### Environment Mapping').map(([environment, authority, role]) => ({
      environment,
      DB_AUTHORITY: authority,
      DB_ROLE: role,
    })),
    prohibitions: tableAfter(text, '## 5. Absolute Prohibitions').map(([name]) => name),
    violations: itemsAfter(text, '## 10. Contract Violations').map((item) => item.split(' → ')[1]),
    testing: testMethods(text).map(({ plane, rows }) => ({
      plane,
      methods: rows.map(([method, environment]) => ({ method, environment })),
    })),
    gates: tableAfter(text, '### Debug Endpoints').map(([endpoint, , availability = '']) => ({
      endpoint,
      modes: availability.replace(' only', '').split(', '),
    })),
    documents: tableAfter(text, '## Related Documents').map(([path]) => path),
    variables: headings(text, '### 12.').flatMap((heading) =>
      tableAfter(text, heading).map(([name, owner = '']) => ({
        section: heading.slice(4).split(' ')[0],
        name,
        owner: owner.split(/ \/ Vault| \(/)[0],
        ...(owner.includes('Vault') ? { vault: /Vault: ([^)]+)\)/.exec(owner)?.[1] ?? '' } : {}),
      })),
    ),
    secretPaths: tableAfter(text, '## 13. Vault Secret Paths').map(([path, keys = '', owner = '']) => ({
      path,
      keys: keys.split(', '),
      owners: owner.split(' / '),
    })),
    files: tableAfter(text, '## 14. Canonical Source Files').map(([path]) => path),
    bootstrap: tableAfter(text, '## 15. Database Bootstrap Required Variables').map(([name]) => name),
    must: itemsAfter(text, '### MUST DO').length,
    mustNot: itemsAfter(text, '### MUST NOT').length,
    finalRules: itemsAfter(text, '## Final Rules (Memorize)').length,
  }
}

/** The tables of §7, each with its plane. */
export function testMethods(text: string) {
  return ['Human Plane', 'Machine Plane', 'Database Operations'].map((start) => ({
    plane: start.split(' ')[0]?.toLowerCase() ?? '',
    rows: tableAfter(text, headings(text, `### ${start} `)[0] ?? ''),
  }))
}

/** The first item under a heading that begins in a way, with its backquotes. */
function itemsAfterRaw(text: string, heading: string, start: string): string {
  return (
    text
      .split(heading)[1]
      ?.split('\n')
      .find((line) => line.startsWith(`- ${start}`)) ?? ''
  )
}
