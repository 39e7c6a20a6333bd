import type { Contract, Grant, IdentityEntry, Issuer, Service } from '../contract.ts'
import { patternCovers } from '../resource.ts'
import {
  both,
  canonical,
  compareEntries,
  compareItems,
  compareLongest,
  compareValue,
  type Draft,
  demands,
  informs,
  permits,
  type Sides,
} from './change.ts'

/** Who may do what: tenants, identities, issuers, providers, services and grants. */
export function compareBroker(sides: Sides<Contract>): readonly Draft[] {
  return [
    // With an environment on a side, the planes say it.
    ...(sides.before.environment || sides.after.environment
      ? []
      : compareValue(
          'planes.machine.scheme',
          both(sides, ({ machineKeyHeader }) => machineKeyHeader),
          'looser',
          'The header of machine keys',
        )),
    ...compareEntries(
      'tenants',
      both(sides, ({ tenants }) => tenants),
      { noun: 'The tenant', judged: informs },
    ),
    ...compareEntries(
      'issuers',
      both(sides, ({ issuers }) => issuers),
      {
        noun: 'The issuer',
        judged: permits,
        within: compareIssuer,
      },
    ),
    ...compareEntries(
      'identities',
      both(sides, ({ identities }) => identities),
      {
        noun: 'The identity',
        judged: permits,
        within: compareIdentity,
      },
    ),
    ...compareEntries(
      'providers',
      both(sides, ({ providers }) => providers),
      {
        noun: 'The provider',
        judged: informs,
        // Only its adapter knows what its settings permit, so another one counts as looser.
        within: (rule, providers, name) => [
          ...compareValue(
            rule,
            both(providers, ({ kind }) => kind),
            'looser',
            `The kind of ${name}`,
          ),
          ...another(
            rule,
            both(providers, ({ config }) => config),
            `The settings of ${name} are others.`,
          ),
        ],
      },
    ),
    ...compareEntries(
      'services',
      both(sides, ({ services }) => services),
      {
        noun: 'The service',
        judged: informs,
        within: compareService,
      },
    ),
    ...compareEntries('grants', both(sides, grantsById), {
      noun: 'The grant',
      judged: permits,
      within: compareGrant,
    }),
    ...compareItems('alerts', both(sides, alertTargets), demands, (target, now) =>
      now === 'added' ? `Alerts go to ${target}.` : `Alerts no longer go to ${target}.`,
    ),
    ...compareLongest(
      'defaults.duration',
      both(sides, ({ defaultDurationSeconds }) => defaultDurationSeconds),
      'The life of a credential when none is asked for',
    ),
  ]
}

function grantsById({ grants }: Contract): ReadonlyMap<string, Grant> {
  return new Map(grants.map((grant) => [grant.id, grant]))
}

function alertTargets({ alerts }: Contract): readonly string[] {
  return alerts.map(({ kind, url }) => `${kind} ${url}`)
}

function another(rule: string, { before, after }: Sides<unknown>, message: string): readonly Draft[] {
  return canonical(before) === canonical(after) ? [] : [{ effect: 'looser', rule, message }]
}

function compareIssuer(rule: string, sides: Sides<Issuer>, name: string): readonly Draft[] {
  return [
    ...(['plane', 'issuer', 'audience', 'jwksUri', 'caFile'] as const).flatMap((key) =>
      compareValue(
        `${rule}.${key}`,
        both(sides, (issuer) => issuer[key]),
        'looser',
        `\`${key}\` of the issuer ${name}`,
      ),
    ),
    ...compareItems(
      `${rule}.algorithms`,
      both(sides, ({ algorithms }) => algorithms),
      permits,
      (algorithm, now) =>
        now === 'added' ? `${name} may sign by ${algorithm}.` : `${name} may no longer sign by ${algorithm}.`,
    ),
    ...compareLongest(
      `${rule}.clockSkew`,
      both(sides, ({ clockSkewSeconds }) => clockSkewSeconds),
      `The clock skew of ${name}`,
    ),
    ...compareLongest(
      `${rule}.maxAge`,
      both(sides, ({ maxAgeSeconds }) => maxAgeSeconds),
      `The oldest token of ${name}`,
    ),
  ]
}

function compareIdentity(rule: string, sides: Sides<IdentityEntry>, agent: string): readonly Draft[] {
  return [
    ...compareValue(
      `${rule}.tenant`,
      both(sides, ({ tenant }) => tenant),
      'looser',
      `The tenant of ${agent}`,
    ),
    ...compareValue(
      `${rule}.plane`,
      both(sides, ({ plane }) => plane),
      'looser',
      `The plane of ${agent}`,
    ),
    ...compareItems(
      `${rule}.roles`,
      both(sides, ({ roles }) => roles),
      permits,
      (role, now) =>
        now === 'added' ? `${agent} has the role ${role}.` : `${agent} no longer has the role ${role}.`,
    ),
    ...compareItems(
      `${rule}.proofs`,
      both(sides, ({ proofs }) => proofs.map(canonical)),
      permits,
      (proof, now) =>
        now === 'added' ? `${agent} is proven by ${proof}.` : `${agent} is no longer proven by ${proof}.`,
    ),
  ]
}

function compareService(rule: string, sides: Sides<Service>, name: string): readonly Draft[] {
  return [
    ...compareValue(
      `${rule}.provider`,
      both(sides, ({ provider }) => provider),
      'looser',
      `The provider of ${name}`,
    ),
    ...compareEntries(
      `${rule}.actions`,
      both(sides, ({ actions }) => actions),
      {
        noun: `The action ${name}`,
        judged: informs,
        within: (path, actions, action) => [
          ...compareValue(
            path,
            both(actions, ({ resource }) => resource),
            'looser',
            `The resource of ${action}`,
          ),
          ...another(
            path,
            both(actions, ({ means }) => means),
            `What ${action} is at its provider is another.`,
          ),
        ],
      },
    ),
  ]
}

function compareGrant(rule: string, sides: Sides<Grant>, id: string): readonly Draft[] {
  return [
    ...compareValue(
      `${rule}.tenant`,
      both(sides, ({ tenant }) => tenant),
      'looser',
      `The tenant of ${id}`,
    ),
    ...compareValue(
      `${rule}.service`,
      both(sides, ({ service }) => service),
      'looser',
      `The service of ${id}`,
    ),
    ...compareReach(
      `${rule}.agents`,
      both(sides, ({ agents }) => agents),
      {
        covers: (wide, narrow) => wide === '*' || wide === narrow,
        says: (agent) => `${id} is for ${agent}`,
      },
    ),
    ...compareReach(
      `${rule}.resources`,
      both(sides, ({ resources }) => resources),
      {
        covers: patternWithin,
        says: (resource) => `${id} covers ${resource}`,
      },
    ),
    ...(['actions', 'modes', 'planes'] as const).flatMap((key) =>
      compareReach(
        `${rule}.${key}`,
        both(sides, (grant) => grant[key]),
        {
          covers: (wide, narrow) => wide === narrow,
          says: (item) => `${id} holds for ${item}`,
        },
      ),
    ),
    ...compareLongest(
      `${rule}.maxDuration`,
      both(sides, ({ maxDurationSeconds }) => maxDurationSeconds),
      `The longest life by ${id}`,
    ),
  ]
}

/** Items that may cover one another: what was covered before is no widening, and what still is, no narrowing. */
function compareReach(
  rule: string,
  { before, after }: Sides<readonly string[]>,
  how: { covers: (wide: string, narrow: string) => boolean; says: (item: string) => string },
): readonly Draft[] {
  const beyond = (items: readonly string[], others: readonly string[]) =>
    items.filter((item) => !others.some((other) => how.covers(other, item)))
  return [
    ...beyond(after, before).map(
      (item): Draft => ({ effect: 'looser', rule, message: `${how.says(item)}.` }),
    ),
    ...beyond(before, after).map(
      (item): Draft => ({
        effect: 'tighter',
        rule,
        message: `No longer: ${how.says(item)}.`,
      }),
    ),
  ]
}

/** Whether everything that one pattern covers is surely covered by the other; a pattern with `**` only by itself or by `**`. */
function patternWithin(wide: string, narrow: string): boolean {
  if (wide === narrow || wide === '**') return true
  // One `*` of the narrow pattern stands for a text without a slash, which is what a `*` of the wide one covers.
  return !narrow.includes('**') && patternCovers(wide, narrow.replaceAll('*', '\u0001'))
}
