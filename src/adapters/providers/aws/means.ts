import { z } from 'zod'
import { type Action, templateParts } from '../../../contract/index.ts'
import { contractInvalid, parseAt, type Reading, type Wrong } from './parse.ts'

/** What an action means in IAM: one statement of a session policy, with templates for the parts of the resource. */
export type Means = {
  readonly actions: readonly string[]
  readonly resources: readonly string[]
  readonly conditions: Conditions
}

/** Operator, then condition key, then the texts that it is compared with. */
export type Conditions = Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>

/**
 * Parses an action's `means` without any I/O. Refuses with `contract_invalid` whatever could be more than the request names: a wildcard
 * in an action, one in a resource without `unscopable: true` and a reason, an IAM policy variable, a part of the resource that is not used.
 */
export function parseMeans(action: Action): Means {
  const reading: Reading = { owner: `action ${action.name}`, key: 'means', place: action.place }
  const { actions, resources, conditions = {}, ...exception } = parseAt(schema, action.means, reading)
  const means: Means = { actions, resources, conditions }
  const wrongs = [
    ...wideResources(means, exception),
    ...misusedParts(means, action.resource),
    ...reservedKeys(conditions),
  ]
  if (wrongs.length > 0) throw contractInvalid(reading, wrongs)
  return means
}

/** Whether the resources are exactly `*`, which AWS asks for where an action has no resource type. */
export function isUnscoped(resources: readonly string[]): boolean {
  return resources.every((resource) => resource === '*')
}

const listMax = 20

const operators = [
  'StringEquals',
  'StringNotEquals',
  'StringEqualsIgnoreCase',
  'StringLike',
  'StringNotLike',
  'NumericEquals',
  'NumericLessThan',
  'NumericLessThanEquals',
  'NumericGreaterThan',
  'NumericGreaterThanEquals',
  'Bool',
  'IpAddress',
  'NotIpAddress',
  'ArnEquals',
  'ArnLike',
  'Null',
] as const

const template = z
  .string()
  .min(1)
  .max(2048)
  .refine((text) => !text.includes('$'), 'must not hold an IAM policy variable; name a part as {part}')

const schema = z.strictObject({
  actions: z
    .array(
      z
        .string()
        .regex(
          /^[a-z0-9-]+:[A-Za-z0-9]+$/,
          'must be one IAM action such as s3:ListBucket, without a wildcard',
        ),
    )
    .min(1)
    .max(listMax),
  resources: z
    .array(
      template.refine(
        (text) => text === '*' || /^arn:[^:]+:[^:]+:[^:]*:[^:]*:.+$/.test(text),
        'must be an ARN',
      ),
    )
    .min(1)
    .max(listMax),
  conditions: z
    .partialRecord(
      z.enum(operators),
      z.record(
        z.string().regex(/^[\w-]+:[\w:/.@-]+$/, 'must be a condition key such as s3:prefix'),
        z.union([template.transform((text) => [text]), z.array(template).min(1).max(listMax)]),
      ),
    )
    .optional(),
  unscopable: z.literal(true).optional(),
  reason: z.string().min(10, 'must say why AWS cannot be told the resource more exactly').optional(),
})

function wideResources({ resources }: Means, exception: { unscopable?: unknown; reason?: unknown }): Wrong[] {
  if (exception.unscopable && exception.reason) return []
  return resources.flatMap((resource, index) =>
    /[*?]/.test(resource)
      ? [
          {
            path: ['resources', `${index}`],
            message: 'holds a wildcard; only `unscopable: true` with a `reason` permits that',
          },
        ]
      : [],
  )
}

function misusedParts({ resources, conditions }: Means, resource: string): Wrong[] {
  const had = templateParts(resource)
  const conditionTexts = Object.values(conditions).flatMap((keys) => Object.values(keys).flat())
  const used = new Set([...resources, ...conditionTexts].flatMap(templateParts))
  const unknown = [...used]
    .filter((part) => part !== 'resource' && !had.includes(part))
    .map((part) => ({ path: [], message: `names {${part}}, which the resource ${resource} does not have` }))
  if (used.has('resource') || isUnscoped(resources)) return unknown
  // A part that nothing uses would let a narrow request get something wider.
  const unused = had
    .filter((part) => !used.has(part))
    .map((part) => ({
      path: ['resources'],
      message: `leaves {${part}} of the resource unused, so it would give more`,
    }))
  return [...unknown, ...unused]
}

/** The broker sets these itself; a second value would loosen or confuse its own. */
function reservedKeys(conditions: Conditions): Wrong[] {
  const reserved = ['aws:currenttime', 'aws:resourceaccount']
  return Object.entries(conditions).flatMap(([operator, keys]) =>
    Object.keys(keys)
      .filter((key) => reserved.includes(key.toLowerCase()))
      .map((key) => ({ path: ['conditions', operator, key], message: 'is set by the broker' })),
  )
}
