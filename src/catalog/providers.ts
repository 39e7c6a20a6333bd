import { aws } from '../adapters/providers/aws/index.ts'
import { env } from '../adapters/providers/env/index.ts'
import { jwt } from '../adapters/providers/jwt/index.ts'
import { postgres } from '../adapters/providers/postgres/index.ts'
import type { Provider, ProviderDefinition, ProviderWorld } from '../broker/index.ts'
import { type Contract, ContractInvalid, contractInvalid, type Place } from '../contract/index.ts'
import { Failure } from '../primitives/index.ts'

// An object that implements the seed's own interface plugs in through this one; it has no configuration and so no kind in the list.
export {
  type CredentialProvider,
  fromCredentialProvider,
  type PluggedAs,
} from '../adapters/providers/seed-interface/index.ts'

/** Every kind of provider that there is. Adding one is a line here. */
export const providers: readonly ProviderDefinition[] = [aws, env, jwt, postgres]

/**
 * The contract's providers by name. Throws `contract_invalid` for an unknown kind, for a configuration that its adapter refuses, and
 * for a grant that would reach a development-only provider in a staging or production mode. Nothing outside is called.
 */
export async function openProviders(
  contract: Contract,
  world: ProviderWorld,
  known: readonly ProviderDefinition[] = providers,
): Promise<ReadonlyMap<string, Provider>> {
  const definitions = new Map(known.map((definition) => [definition.kind, definition]))
  const opened = new Map<string, Provider>()
  for (const entry of contract.providers.values()) {
    const definition = definitions.get(entry.kind)
    if (!definition) {
      const message = `There is no provider of the kind ${entry.kind}; there are ${[...definitions.keys()].join(', ')}.`
      throw contractInvalid(contract.file, [
        { message, place: contract.placeOf(['providers', entry.name, 'kind']) },
      ])
    }
    if (definition.developmentOnly) refuseOutsideDevelopment(contract, entry.name)
    const actions = [...contract.services.values()]
      .filter((service) => service.provider === entry.name)
      .flatMap((service) => [...service.actions.values()])
    const create = () => definition.create(entry, actions, world)
    opened.set(entry.name, await namingTheFile(contract, entry.place, create))
  }
  return opened
}

/** A provider names the line of what is wrong with its configuration; which file that is, it does not know. */
async function namingTheFile<T>(contract: Contract, entry: Place, create: () => T | Promise<T>): Promise<T> {
  try {
    return await create()
  } catch (thrown) {
    if (!(thrown instanceof Failure) || thrown.code !== 'contract_invalid') throw thrown
    if (thrown instanceof ContractInvalid) throw thrown
    const [, line, rest] = /^Line ([0-9]+): (.*)$/s.exec(thrown.message) ?? []
    const place = line === undefined ? entry : { line: Number(line), column: 1 }
    const next = thrown.next === undefined ? {} : { next: thrown.next }
    throw contractInvalid(contract.file, [{ message: rest ?? thrown.message, place, ...next }])
  }
}

function refuseOutsideDevelopment(contract: Contract, provider: string): void {
  const problems = contract.grants.flatMap((grant) => {
    if (contract.services.get(grant.service)?.provider !== provider) return []
    return grant.modes.flatMap((name) => {
      const mode = contract.modes.get(name)
      if (!mode || mode.class === 'development' || mode.class === 'test') return []
      const message = `The grant ${grant.id} reaches the provider ${provider} in ${name}, which is of class ${mode.class}; it is for development and test only.`
      return [{ message, place: grant.place, next: `remove ${name} from the modes of ${grant.id}` }]
    })
  })
  if (problems.length > 0) throw contractInvalid(contract.file, problems)
}
