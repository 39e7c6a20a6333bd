import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createAuthority, createMachineKey, systemRandom } from '../catalog/index.ts'
import type { TlsMaterial } from '../server/http/index.ts'
import { devContract } from './dev-contract.ts'

/** The files of a development broker. They are made once and used again when the folder is. */
export type DevFiles = {
  readonly folder: string
  readonly contract: string
  readonly data: string
  readonly ca: string
  readonly certificate: string
  readonly certificateKey: string
  readonly machineKey: string
  readonly humanToken: string
}

const dayMs = 86_400_000

export function devFiles(folder: string): DevFiles {
  const file = (name: string) => join(folder, name)
  return {
    folder,
    contract: file('sallyport.yaml'),
    data: file('data'),
    ca: file('ca.pem'),
    certificate: file('agent-7.pem'),
    certificateKey: file('agent-7.key'),
    machineKey: file('agent-7.machine-key'),
    humanToken: file('dana.token'),
  }
}

/**
 * Makes what a development broker needs and returns its TLS: a CA, a server certificate, an X.509-SVID and a machine key for the
 * first agent, and a contract. The certificates are new at every start and live for a day; a contract that is there is kept.
 */
export async function prepareDevFolder(
  files: DevFiles,
  options: { readonly issuer: string; readonly postgresUrl?: string },
): Promise<TlsMaterial> {
  mkdirSync(files.folder, { recursive: true, mode: 0o700 })
  const life = { notBefore: Date.now() - 60_000, notAfter: Date.now() + dayMs }
  const authority = await createAuthority({ commonName: 'Sallyport development CA', ...life })
  const server = await authority.issue({
    purpose: 'server',
    dnsNames: ['localhost'],
    addresses: ['127.0.0.1'],
    ...life,
  })
  const agent = await authority.issue({
    purpose: 'client',
    uris: ['spiffe://dev.test/tenant/acme/agent/agent-7'],
    ...life,
  })
  writeFileSync(files.ca, authority.own.certPem)
  writeFileSync(files.certificate, agent.certPem)
  writeFileSync(files.certificateKey, agent.keyPem, { mode: 0o600 })
  if (!existsSync(files.contract) || !existsSync(files.machineKey)) {
    const { key, digest } = createMachineKey(systemRandom)
    writeFileSync(files.machineKey, key.reveal(), { mode: 0o600 })
    writeFileSync(files.contract, devContract({ ...options, machineKeyDigest: digest }))
  }
  return { certificate: server.certPem, key: server.keyPem, clientCa: authority.own.certPem }
}

/** The port of the issuer that the kept contract names, so that the contract holds at the next start; 0 when there is none. */
export function keptIssuerPort(files: DevFiles): number {
  if (!existsSync(files.contract)) return 0
  const found = /http:\/\/127\.0\.0\.1:([0-9]+)/.exec(readFileSync(files.contract, 'utf8'))?.[1]
  return found === undefined ? 0 : Number(found)
}
