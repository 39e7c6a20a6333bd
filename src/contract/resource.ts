/** A resource as a request names it, checked to be one thing: no wildcard, quote, space, control or escape in it, and no folder. */
const plainResource = /^[A-Za-z0-9](?:[A-Za-z0-9._@:+=/,~-]{0,1022}[A-Za-z0-9._@+=~-])?$/

/** Whether the text can name one resource. Anything that a provider could read as more than one is refused. */
export function isPlainResource(text: string): boolean {
  return plainResource.test(text) && !text.split('/').some((part) => part === '.' || part === '..')
}

export type ResourceParts = Readonly<Record<string, string>>

/** The names of the parts in a template such as `{bucket}/{key+}`. */
export function templateParts(template: string): readonly string[] {
  return [...template.matchAll(/\{([a-z][a-z0-9_]*)\+?\}/g)].map((match) => match[1] ?? '')
}

/**
 * Reads a resource by its template; `undefined` when it does not have that shape. A part ends where the character that follows it in
 * the template first stands, so there is never more than one reading. The whole is always a part, `resource`.
 */
export function matchResource(template: string, resource: string): ResourceParts | undefined {
  const { pattern, names } = shapes.get(template) ?? compileTemplate(template)
  const match = pattern.exec(resource)
  if (!match) return undefined
  const parts: Record<string, string> = {}
  for (const [at, name] of names.entries()) parts[name] = match[at + 1] ?? ''
  parts['resource'] = resource
  return parts
}

/** Every part of a template is a group of its pattern, in its order. */
type Shape = { readonly pattern: RegExp; readonly names: readonly string[] }

/** Templates are of the contract, so there are only as many as it has actions. */
const shapes = new Map<string, Shape>()

function compileTemplate(template: string): Shape {
  const source = template.replace(
    /\{([a-z][a-z0-9_]*)(\+?)\}(?=(.?))|[^{]+|\{/gs,
    (piece, name: string | undefined, plus: string, follower: string) => {
      if (name === undefined) return escapeRegExp(piece)
      if (plus) return `(?<${name}>.+)`
      return `(?<${name}>[^/${/^[A-Za-z0-9/]?$/.test(follower) ? '' : `\\${follower}`}]+)`
    },
  )
  const shape = { pattern: new RegExp(`^${source}$`), names: templateParts(template) }
  shapes.set(template, shape)
  return shape
}

function escapeRegExp(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
}

/** Puts parts into a template such as `arn:aws:s3:::{bucket}/{key}`. Throws a `RangeError` for a part that is not there. */
export function fillTemplate(template: string, parts: ResourceParts): string {
  if (!template.includes('{')) return template
  return template.replace(/\{([a-z][a-z0-9_]*)\+?\}/g, (_, name: string) => {
    const part = Object.hasOwn(parts, name) ? parts[name] : undefined
    if (part === undefined)
      throw new RangeError(`The template names {${name}}, which the resource does not have.`)
    return part
  })
}

/** Whether a grant's pattern covers a resource: `*` within one segment, `**` across segments. */
export function patternCovers(pattern: string, resource: string): boolean {
  const source = pattern
    .split(/(\*\*|\*)/)
    .map((piece) => (piece === '**' ? '.*' : piece === '*' ? '[^/]*' : escapeRegExp(piece)))
    .join('')
  return new RegExp(`^${source}$`, 's').test(resource)
}
