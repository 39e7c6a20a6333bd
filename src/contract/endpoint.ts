/** Whether a path of a request belongs to a glob: `*` is one segment, or everything below when it stands last. */
export function endpointMatches(glob: string, path: string): boolean {
  const wanted = glob.split('/')
  const given = path.split('/')
  const open = wanted.at(-1) === '*'
  if (open ? given.length < wanted.length : given.length !== wanted.length) return false
  return wanted.every((part, index) => (part === '*' ? given[index] !== '' : part === given[index]))
}

/** Whether one path could belong to both globs. */
export function endpointsMeet(left: string, right: string): boolean {
  const [short = [], long = []] = [left.split('/'), right.split('/')].sort(
    (one, other) => one.length - other.length,
  )
  const open = short.at(-1) === '*'
  if (!open && long.length !== short.length && !(long.at(-1) === '*' && long.length <= short.length))
    return false
  return short.every((part, index) => part === '*' || long[index] === '*' || part === long[index])
}
