import type { ValueRule } from './rules.ts'

/** What is wrong with a text: `type` it is none, `enum` none of the values, `range`, `scheme`, `pattern`. */
export type ValueFault = 'type' | 'enum' | 'range' | 'scheme' | 'pattern'

/** The most digits that a number may have: a double tells so many apart, and a shell compares them in 64 bits. */
export const digitsMax = 15

/** The deepest JSON that is accepted. */
export const jsonDepthMax = 64

/** Attacker-controlled: `text` is the value of an environment variable. The first fault, or `undefined`. */
export function valueFault(text: string, rule: ValueRule): ValueFault | undefined {
  if (!isOfKind(text, rule.kind)) return 'type'
  if ('enum' in rule && rule.enum && !rule.enum.includes(text)) return 'enum'
  if ('minimum' in rule && rule.minimum !== undefined && Number(text) < rule.minimum) return 'range'
  if ('maximum' in rule && rule.maximum !== undefined && Number(text) > rule.maximum) return 'range'
  if ('schemes' in rule && rule.schemes && !rule.schemes.includes(text.slice(0, text.indexOf(':'))))
    return 'scheme'
  if ('pattern' in rule && rule.pattern !== undefined && !matches(text, rule.pattern)) return 'pattern'
  return undefined
}

function isOfKind(text: string, kind: ValueRule['kind']): boolean {
  switch (kind) {
    case 'text':
      return true
    case 'boolean':
      return text === 'true' || text === 'false'
    case 'integer':
      return /^-?[0-9]{1,15}$/.test(text)
    case 'number':
      return /^-?[0-9]+(?:\.[0-9]+)?$/.test(text) && text.replace(/[-.]/g, '').length <= digitsMax
    case 'port':
      return /^[0-9]{1,5}$/.test(text) && Number(text) <= 65_535
    case 'uri':
      return /^[A-Za-z][A-Za-z0-9+.-]*:[\x21-\x7e]+$/.test(text)
    case 'duration':
      return /^[0-9]{1,9}(?:ms|[smhd])?$/.test(text)
    case 'list':
      return text !== '' && text.split(',').every((item) => item !== '')
    case 'json':
      return isJson(text)
  }
}

/** What a pattern is asked of: printable ASCII on one line, and not so long that a bad pattern could be made to think for hours. */
const patternText = /^[\x20-\x7e]{0,1024}$/

const compiled = new Map<string, RegExp>()

function matches(text: string, pattern: string): boolean {
  const expression = compiled.get(pattern) ?? new RegExp(pattern, 'u')
  compiled.set(pattern, expression)
  return patternText.test(text) && expression.test(text)
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
  } catch {
    return false
  }
  let depth = 0
  for (const [bracket] of text.replace(/"(?:[^"\\]|\\.)*"/g, '').matchAll(/[[\]{}]/g)) {
    depth += bracket === '[' || bracket === '{' ? 1 : -1
    if (depth > jsonDepthMax) return false
  }
  return true
}
