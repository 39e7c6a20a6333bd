import { aws } from '../adapters/providers/aws/index.ts'
import { env } from '../adapters/providers/env/index.ts'
import { jwt } from '../adapters/providers/jwt/index.ts'
import { postgres } from '../adapters/providers/postgres/index.ts'
import type { Provider, ProviderDefinition, ProviderWorld } from '../broker/index.ts'
import { type Contract, contractInvalid } from '../contract/index.ts'

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
    opened.set(entry.name, await definition.create(entry, actions, world))
  }
  return opened
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
