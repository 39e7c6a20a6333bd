import { z } from 'zod'
import {
  type Action,
  fillTemplate,
  type ProviderEntry,
  type ResourceParts,
  templateParts,
} from '../../../contract/index.ts'
import { Failure } from '../../../primitives/index.ts'

/** What an action is called in a scope. Neither service nor action holds a colon, so no two scopes are written alike. */
export type ScopeMeans = { readonly service: string; readonly action: string; readonly resource: string }

/** `service:action:resource`. */
export function scopeText(means: ScopeMeans, parts: ResourceParts): string {
  return `${means.service}:${means.action}:${fillTemplate(means.resource, parts)}`
}

/** The action's `means`; the provider's and the action's names stand where it says nothing. Throws `contract_invalid`. */
export function readMeans(action: Action, entry: ProviderEntry): ScopeMeans {
  const means = meansSchema.safeParse({ service: entry.name, action: action.name, ...action.means })
  const at = `Line ${action.place.line}: action ${action.name}: means`
  if (!means.success) throw unfit(at, firstIssue(means.error))
  const [parts, named] = [templateParts(action.resource), templateParts(means.data.resource)]
  const unknown = named.find((part) => part !== 'resource' && !parts.includes(part))
  if (unknown !== undefined) throw unfit(at, `{${unknown}} is no part of the resource ${action.resource}`)
  // A scope that leaves a part out would mean more than the resource that was asked for.
  const missing = parts.find((part) => !named.includes(part) && !named.includes('resource'))
  if (missing !== undefined) throw unfit(at, `resource leaves {${missing}} out`)
  return means.data
}

/** The object was configured by the one who made it; the contract has nothing to add. Throws `contract_invalid`. */
export function readConfig(entry: ProviderEntry): void {
  const config = z.strictObject({}).safeParse(entry.config)
  if (!config.success)
    throw unfit(`Line ${entry.place.line}: provider ${entry.name}: config`, firstIssue(config.error))
}

const word = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/, 'a word without a colon')
const meansSchema = z.strictObject({
  service: word,
  action: word,
  resource: z.string().min(1).max(1024).default('{resource}'),
})

function firstIssue(error: z.ZodError): string {
  const [first] = error.issues
  return `${first?.path.join('.') || 'the whole'}: ${first?.message ?? 'not valid'}`
}

function unfit(at: string, problem: string): Failure {
  return new Failure('contract_invalid', `${at}: ${problem}.`)
}
