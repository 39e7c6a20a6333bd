/** Whether a path of a request belongs to a glob: `*` is one segment, or everything below when it stands last. */
export function endpointMatches(glob: string, path: string): boolean {
  const wanted = glob.split('/')
  const given = path.split('/')
  const open = wanted.at(-1) === '*'
  if (open ? given.length < wanted.length : given.length !== wanted.length) return false
  return wanted.every((part, index) => (part === '*' ? given[index] !== '' : part === given[index]))
}

/** Whether one path could belong to both globs, in one spelling or another. */
export function endpointsMeet(left: string, right: string): boolean {
  const [short, long] = [endpointStem(left).split('/'), endpointStem(right).split('/')]
  if (short.length > long.length) return endpointsMeet(right, left)
  // The glob's own end counts: `/a/*/` is one segment, and its stem would be everything below.
  if (short.length !== long.length && !left.endsWith('/*')) return false
  return short.every((part, index) => part === '*' || long[index] === '*' || part === long[index])
}

/**
 * What is left of a path or glob without the case of its letters, a `/` at its end and the ending of its last name (`.json`). Two paths of one
 * stem are one endpoint to the router of some usual framework: Express tells no case, Spring and Rails no `/`, Rails no ending.
 */
export function endpointStem(path: string): string {
  const lower = path.toLowerCase()
  const end = lower.endsWith('/') ? lower.length - 1 : lower.length
  const name = lower.lastIndexOf('/', end - 1) + 1
  const dot = lower.indexOf('.', name + 1)
  return lower.slice(0, dot < 0 ? end : dot)
}
