import { fillTemplate, type ResourceParts } from '../../../contract/index.ts'
import { Failure, timestamp } from '../../../primitives/index.ts'
import { type Conditions, isUnscoped, type Means } from './means.ts'

/** Inline session policies may have this many characters (STS API Reference, AssumeRole, `Policy`). */
export const sessionPolicyCharactersMax = 2048

/** One allow statement, filled: what it says is what `effective` says. */
export type SessionPolicy = {
  readonly text: string
  readonly actions: readonly string[]
  readonly resources: readonly string[]
  /** The conditions of the contract, without the broker's own. */
  readonly conditions: Conditions
  /** The second since 1970 from which it allows nothing. */
  readonly notAfterSeconds: number
}

export type Bounds = { readonly notAfterSeconds: number; readonly account?: string | undefined }

/**
 * The policy for exactly these actions on exactly these resources until that second. Throws `provider_refused` for a part that IAM could
 * read as more than one thing, and `provider_policy_too_large`; it never widens.
 */
export function sessionPolicy(means: Means, parts: ResourceParts, bounds: Bounds): SessionPolicy {
  const resources = means.resources.map((template) => fillArn(template, parts))
  const conditions = fillConditions(means.conditions, parts)
  const statement = {
    Effect: 'Allow',
    Action: oneOrAll(means.actions),
    Resource: oneOrAll(resources),
    Condition: { ...oneOrAllValues(conditions), ...ownConditions(conditions, resources, bounds) },
  }
  const text = JSON.stringify({ Version: '2012-10-17', Statement: [statement] })
  if (text.length > sessionPolicyCharactersMax) throw tooLarge(text.length)
  return { text, actions: means.actions, resources, conditions, notAfterSeconds: bounds.notAfterSeconds }
}

function ownConditions(conditions: Conditions, resources: readonly string[], bounds: Bounds) {
  const end = timestamp(bounds.notAfterSeconds * 1000).replace('.000Z', 'Z')
  const date = { DateLessThan: { 'aws:CurrentTime': end } }
  // Actions without a resource type have no resource whose account could be compared.
  if (!bounds.account || isUnscoped(resources)) return date
  const equals = oneOrAllValues({ StringEquals: conditions['StringEquals'] ?? {} })['StringEquals']
  return { ...date, StringEquals: { ...equals, 'aws:ResourceAccount': bounds.account } }
}

function fillConditions(conditions: Conditions, parts: ResourceParts): Conditions {
  return mapValues(conditions, (keys) => mapValues(keys, (texts) => texts.map((text) => fill(text, parts))))
}

function oneOrAllValues(conditions: Conditions) {
  return mapValues(conditions, (keys) => mapValues(keys, oneOrAll))
}

/** A part must not move what follows it into another field of the ARN, such as the account. */
function fillArn(template: string, parts: ResourceParts): string {
  const fields = template.split(':').slice(0, 5)
  if (fields.some((field) => fill(field, parts).includes(':')))
    throw refused('A part of the resource holds a colon where an ARN has one field.')
  return fill(template, parts)
}

// The parts are attacker-controlled: `*`, `?` and `$` mean something to IAM, quotes and controls something to whoever reads the policy.
function fill(template: string, parts: ResourceParts): string {
  for (const [name, part] of Object.entries(parts))
    if (!/^[\x21-\x7e]+$/.test(part) || /[*?$"\\{}]/.test(part))
      throw refused(
        `The part {${name}} of the resource holds a character that AWS could read as more than one thing.`,
      )
  return fillTemplate(template, parts)
}

function refused(message: string): Failure {
  return new Failure('provider_refused', message, { next: 'Name one resource exactly.' })
}

function tooLarge(characters: number): Failure {
  return new Failure(
    'provider_policy_too_large',
    `The session policy would have ${characters} characters; AWS takes ${sessionPolicyCharactersMax}. Nothing wider was tried.`,
    { next: 'Name a shorter resource, or fewer actions and resources in what the action means.' },
  )
}

function oneOrAll(texts: readonly string[]): string | readonly string[] {
  const [only] = texts
  return only !== undefined && texts.length === 1 ? only : texts
}

function mapValues<From, To>(
  record: Readonly<Record<string, From>>,
  change: (value: From) => To,
): Record<string, To> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, change(value)]))
}
