import { z } from 'zod'
import type { Capabilities, Minted, MintOrder, ProviderDefinition } from '../../../broker/index.ts'
import type { Action, Place, ProviderEntry } from '../../../contract/index.ts'
import { Failure, type Secret } from '../../../primitives/index.ts'

/**
 * Hands out the value of a configured variable (seed 004 §7: Env Var Injection, development and test only). It narrows nothing, ends
 * nothing and says so. See `docs/providers/env.md`.
 */
export const env: ProviderDefinition = {
  kind: 'env',
  developmentOnly: true,
  async create(entry, actions, world) {
    const sources = readConfig(entry)
    const variables = new Map(actions.map((action) => [action, readVariable(action, sources)]))
    const values = new Map<string, Secret>()
    for (const [name, source] of sources) values.set(name, world.resolve(source, entry.place))
    return {
      capabilities,
      async mint(order, signal) {
        signal.throwIfAborted()
        const name = variables.get(order.action) ?? readVariable(order.action, sources)
        const value = values.get(name)
        if (!value) throw new Failure('provider_refused', `The variable ${name} has no value.`)
        return handOut(order, { name, value })
      },
      // There is nothing that could be ended; `revocation: none` says so in every answer.
      async revoke(_, signal) {
        signal.throwIfAborted()
      },
      async rotate() {
        throw new Failure('rotation_unsupported', 'A variable is changed where it is set, not here.')
      },
    }
  },
}

/** A hundred years: what stands for "for ever" in a number of seconds. */
const foreverSeconds = 3_155_760_000

/** The last second that RFC 3339 can write: the value never expires. */
const never = Date.UTC(9999, 11, 31, 23, 59, 59)

const capabilities: Capabilities = {
  revocation: 'none',
  revocationNote: 'The value is not revoked: it works until it is changed where it was set.',
  endsByItself: false,
  providerTtlSecondsMin: foreverSeconds,
  ttlSecondsMax: foreverSeconds,
  probes: false,
  rotates: [],
}

function handOut(order: MintOrder, variable: { name: string; value: Secret }): Minted {
  return {
    credential: { type: 'env', fields: { ...variable } },
    handle: `env/${variable.name}`,
    // Whatever the value can do: nothing here makes it less.
    effective: { actions: ['*'], resources: ['*'] },
    notAfter: order.notAfter,
    providerNotAfter: never,
    enforcedBy: 'nothing',
  }
}

const variableName = z
  .string()
  .regex(/^[A-Za-z_][A-Za-z0-9_]{0,127}$/, 'a variable is letters, digits and underscores')
const valueSource = z.union([z.strictObject({ env: z.string() }), z.strictObject({ file: z.string() })])
const configSchema = z.strictObject({ values: z.record(variableName, valueSource) })
const meansSchema = z.strictObject({ variable: variableName })

type Sources = ReadonlyMap<string, z.infer<typeof valueSource>>

function readConfig(entry: ProviderEntry): Sources {
  const { values } = parse(configSchema, entry.config, {
    what: `provider ${entry.name}: config`,
    place: entry.place,
  })
  return new Map(Object.entries(values))
}

function readVariable(action: Action, sources: Sources): string {
  const at = { what: `action ${action.name}: means`, place: action.place }
  const { variable } = parse(meansSchema, action.means, at)
  if (sources.has(variable)) return variable
  throw invalid(at, `the provider has no variable ${variable}`)
}

type Where = { readonly what: string; readonly place: Place }

function parse<Shape>(schema: z.ZodType<Shape>, value: unknown, at: Where): Shape {
  const result = schema.safeParse(value)
  if (result.success) return result.data
  const [first] = result.error.issues
  throw invalid(at, `${first?.path.join('.') || 'the whole'}: ${first?.message ?? 'not valid'}`)
}

function invalid(at: Where, problem: string): Failure {
  return new Failure('contract_invalid', `Line ${at.place.line}: ${at.what}: ${problem}.`)
}
