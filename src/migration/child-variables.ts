import type { Contract, Environment, Requirement } from '../contract/index.ts'
import { connectionVariable } from './rules.ts'

/**
 * The contract's variables that a migration sees: where the database is, who decides, and in which mode. Further ones only where the
 * contract requires them for this very scope. Whatever else is declared, a key or a token of another plane, stays behind.
 */
export function planeVariables(
  contract: Contract,
  environment: Environment,
  scope: string,
): ReadonlySet<string> {
  const { migrations } = environment
  const confirming = [...(migrations?.roles.values() ?? [])].flatMap(({ confirm }) => confirm?.variable ?? [])
  const required = [...environment.variables.values()].flatMap((variable) =>
    namesScope(variable.required, scope) && !variable.internal ? [variable.name] : [],
  )
  return new Set([
    connectionVariable(environment, scope),
    ...contract.discriminators,
    ...(migrations ? [migrations.roleVariable, ...migrations.informational] : []),
    ...confirming,
    ...required,
  ])
}

/** "Always", and "in this mode", say nothing of a migration. */
function namesScope(requirement: Requirement, scope: string): boolean {
  if (requirement.kind === 'when') return requirement.scopes?.includes(scope) ?? false
  return requirement.kind === 'any' && requirement.of.some((one) => namesScope(one, scope))
}
