import { existsSync, mkdirSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createAuthority, createMachineKey, systemRandom } from '../catalog/index.ts'
import { diskFailure } from '../primitives/index.ts'
import type { TlsMaterial } from '../server/http/index.ts'
import { read } from './connection.ts'
import { devContract } from './dev-contract.ts'
import { fileFailure } from './file-failure.ts'

/** The files of a development broker. They are made once and used again when the folder is. */
export type DevFiles = {
  readonly folder: string
  /** Where a caller finds everything; the line of `sallyport dev --json`. */
  readonly description: string
  readonly contract: string
  readonly data: string
  readonly ca: string
  readonly certificate: string
  readonly certificateKey: string
  readonly machineKey: string
  readonly humanToken: string
}

/** Of the certificates, which are new at every start. */
const lifeMs = 30 * 86_400_000

export function devFiles(folder: string): DevFiles {
  const file = (name: string) => join(folder, name)
  return {
    folder,
    description: file('dev.json'),
    contract: file('sallyport.yaml'),
    data: file('data'),
    ca: file('ca.pem'),
    certificate: file('agent-7.pem'),
    certificateKey: file('agent-7.key'),
    machineKey: file('agent-7.machine-key'),
    humanToken: file('dana.token'),
  }
}

/** Makes the folder, and in it a contract with a machine key for the first agent; a contract that is there is kept. */
export function keepContract(
  files: DevFiles,
  options: { readonly issuer: string; readonly machineUrl: string; readonly postgresUrl?: string },
): void {
  try {
    mkdirSync(files.folder, { recursive: true, mode: 0o700 })
  } catch (thrown) {
    throw diskFailure(thrown, `the folder ${files.folder}`)
  }
  if (existsSync(files.contract)) return
  const { key, digest } = createMachineKey(systemRandom)
  writePrivate(files.machineKey, key.reveal())
  writeWhole(files.contract, devContract({ ...options, machineKeyDigest: digest }))
}

export type DevCertificates = {
  readonly tls: TlsMaterial
  /** Puts the CA, and the agent's certificate and key, into their files. */
  readonly write: () => void
}

/** A CA, a server certificate for loopback and an X.509-SVID for the first agent. */
export async function createDevCertificates(files: DevFiles): Promise<DevCertificates> {
  const life = { notBefore: Date.now() - 60_000, notAfter: Date.now() + lifeMs }
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
  return {
    tls: { certificate: server.certPem, key: server.keyPem, clientCa: authority.own.certPem },
    write() {
      writeWhole(files.ca, authority.own.certPem)
      writeWhole(files.certificate, agent.certPem)
      writePrivate(files.certificateKey, agent.keyPem)
    },
  }
}

/** Replaces the file in one step: a reader sees the old text or the new. */
export function writePrivate(path: string, text: string): void {
  writeWhole(path, text, { mode: 0o600 })
}

/** A disk that is full leaves the file that was there, or none; half a contract would be taken for one. */
function writeWhole(path: string, text: string, mode: { readonly mode?: number } = {}): void {
  try {
    writeFileSync(`${path}.new`, text, mode)
    renameSync(`${path}.new`, path)
  } catch (thrown) {
    throw fileFailure(thrown, path, 'written')
  }
}

/** The ports that the kept files name, so that both issuers are at the next start where the contract says; 0 where there is none. */
export function keptPorts(files: DevFiles): { readonly issuer: number; readonly machine: number } {
  const port = (file: string, pattern: RegExp) =>
    existsSync(file) ? Number(pattern.exec(read(file))?.[1] ?? 0) : 0
  return {
    issuer: port(files.contract, /^ +issuer: "?http:\/\/127\.0\.0\.1:([0-9]{1,5})"?\s*$/m),
    machine: port(files.description, /"machine_url": "https:\/\/127\.0\.0\.1:([0-9]{1,5})"/),
  }
}
