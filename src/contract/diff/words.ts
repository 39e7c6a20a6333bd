import type { Contract } from '../contract.ts'
import type { FileRule, RequestAdapter, RotationWindow } from '../environment.ts'
import {
  both,
  compareEntries,
  compareItems,
  compareLongest,
  compareValue,
  type Draft,
  demands,
  informs,
  type Judged,
  permits,
  type Sides,
} from './change.ts'
import { presence } from './migrations.ts'
import { environmentOf } from './nothing.ts'

/** References, adapters, files, rotation, what is said to agents, and the commands that prove it all. */
export function compareWords(sides: Sides<Contract>): readonly Draft[] {
  const environments = both(sides, environmentOf)
  return [
    ...compareReferences(sides),
    ...compareEntries(
      'adapters',
      both(environments, (one) => one.requestAdapters),
      {
        noun: 'The adapter',
        judged: permits,
        within: compareAdapter,
      },
    ),
    ...compareEntries(
      'files',
      both(environments, (one) => one.files),
      {
        noun: 'The file',
        judged: ({ role }): Judged => (role === 'example' ? demands : informs),
        within: compareFile,
      },
    ),
    ...compareEntries(
      'rotations',
      both(environments, (one) => one.rotations),
      {
        noun: 'The rotation',
        judged: demands,
        owners: ({ owner }) => [owner],
        within: compareRotation,
      },
    ),
    ...compareSecretRules(sides),
    ...compareAgents(sides),
    ...compareItems(
      'validation',
      both(environments, (one) => one.validation),
      demands,
      (command, now) =>
        now === 'added'
          ? `\`${command}\` proves the contract.`
          : `\`${command}\` no longer proves the contract.`,
    ),
    ...compareValue(
      'metadata.owner',
      both(environments, ({ about }) => about.owner),
      'looser',
      'Who answers for the rules that name no owner',
    ),
  ]
}

function compareReferences(sides: Sides<Contract>): readonly Draft[] {
  const { before, after } = both(sides, (contract) => environmentOf(contract).references)
  if (!before || !after) return presence(sides, 'references', 'The rules for credential references')
  const rules = { before, after }
  return [
    ...compareValue(
      'references.pattern',
      both(rules, ({ pattern }) => pattern),
      'looser',
      'The pattern of references',
    ),
    ...compareValue(
      'references.field',
      both(rules, ({ field }) => field),
      'looser',
      'The field of references',
    ),
    ...compareItems(
      'references.requiredModes',
      both(rules, (one) => one.requiredModes),
      demands,
      (mode, now) =>
        now === 'added'
          ? `A reference is required in ${mode}.`
          : `No reference is required in ${mode} any longer.`,
    ),
    ...compareItems('references.resolves', both(rules, targets), permits, (target, now) =>
      now === 'added' ? `There is the reference ${target}.` : `There is no longer the reference ${target}.`,
    ),
  ]
}

function targets({
  resolves,
}: NonNullable<ReturnType<typeof environmentOf>['references']>): readonly string[] {
  return [...resolves].map(([name, to]) => `${name} for ${to.service} ${to.action} ${to.resource}`)
}

function compareAdapter(rule: string, sides: Sides<RequestAdapter>, name: string): readonly Draft[] {
  return [
    ...compareItems(
      `${rule}.authModes`,
      both(sides, ({ authModes }) => authModes),
      permits,
      (mode, now) => (now === 'added' ? `${name} takes ${mode}.` : `${name} no longer takes ${mode}.`),
    ),
    ...compareValue(
      `${rule}.defaultAuthMode`,
      both(sides, (adapter) => adapter.defaultAuthMode),
      'looser',
      `What ${name} does when nothing is said`,
    ),
  ]
}

function compareFile(rule: string, sides: Sides<FileRule>, path: string): readonly Draft[] {
  return [
    ...compareValue(
      `${rule}.role`,
      both(sides, ({ role }) => role),
      'looser',
      `The role of ${path}`,
    ),
    ...compareValue(
      `${rule}.covers`,
      both(sides, ({ covers }) => covers),
      ({ after }) => (after === 'all' ? 'tighter' : 'looser'),
      `What ${path} covers`,
    ),
  ]
}

function compareRotation(rule: string, sides: Sides<RotationWindow>, name: string): readonly Draft[] {
  return [
    ...compareLongest(
      `${rule}.every`,
      both(sides, ({ everySeconds }) => everySeconds),
      `The window of ${name}`,
    ),
    ...compareItems(
      `${rule}.secrets`,
      both(sides, ({ secrets }) => secrets),
      demands,
      (secret, now) =>
        now === 'added' ? `${name} rotates ${secret}.` : `${name} no longer rotates ${secret}.`,
    ),
    ...compareValue(
      `${rule}.owner`,
      both(sides, ({ owner }) => owner),
      'looser',
      `The owner of ${name}`,
    ),
  ]
}

function compareSecretRules(sides: Sides<Contract>): readonly Draft[] {
  const { before, after } = both(sides, (contract) => environmentOf(contract).secretRules)
  if (!before || !after) return presence(sides, 'secretRules', 'The rules for secrets')
  const rules = { before, after }
  return [
    ...compareItems(
      'secretRules.inject',
      both(rules, ({ inject }) => inject),
      permits,
      (way, now) =>
        now === 'added' ? `Secrets may come by ${way}.` : `Secrets may no longer come by ${way}.`,
    ),
    ...compareItems(
      'secretRules.neverIn',
      both(rules, ({ neverIn }) => neverIn),
      demands,
      (place, now) => (now === 'added' ? `No secret may be in ${place}.` : `Secrets may be in ${place}.`),
    ),
    ...compareItems(
      'secretRules.releaseBlocking',
      both(rules, (one) => one.releaseBlocking),
      demands,
      (severity, now) =>
        now === 'added'
          ? `Findings of ${severity} block a release.`
          : `Findings of ${severity} no longer block a release.`,
    ),
    ...compareValue(
      'secretRules.onLeak',
      both(rules, ({ onLeak }) => onLeak),
      'looser',
      'What a leak leads to',
    ),
  ]
}

function compareAgents(sides: Sides<Contract>): readonly Draft[] {
  const { before, after } = both(sides, (contract) => environmentOf(contract).agents)
  if (!before || !after) return presence(sides, 'agents', 'The rules for agents')
  const rules = { before, after }
  return [
    ...(['must', 'mustNot', 'remember'] as const).flatMap((key) =>
      compareItems(
        `agents.${key}`,
        both(rules, (one) => one[key]),
        demands,
        (sentence, now) =>
          now === 'added'
            ? `Agents are told (${key}): ${sentence}`
            : `Agents are no longer told (${key}): ${sentence}`,
      ),
    ),
    ...compareValue(
      'agents.onViolation',
      both(rules, ({ onViolation }) => onViolation),
      'looser',
      'What happens to a task that violates the contract',
    ),
  ]
}
