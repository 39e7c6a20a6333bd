import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createSecureContext } from 'node:tls'
import { type Client, createClient, type Identity } from '../../client/src/index.ts'
import { Failure } from '../primitives/index.ts'
import { pathWord } from './path-word.ts'

/** How a command reaches the broker; each has a flag and an environment variable of the same name. */
export type ConnectionOptions = {
  /** The folder of a development broker; the others are then not needed. */
  readonly dev?: string
  /** In a development folder: who calls. */
  readonly as?: 'agent' | 'person'
  readonly url?: string
  readonly ca?: string
  readonly cert?: string
  readonly certKey?: string
  readonly keyFile?: string
  readonly keyHeader?: string
  readonly tokenFile?: string
}

/** What stands in `dev.json`, as far as a caller needs it. */
type DevBroker = {
  readonly machineUrl: string
  readonly humanUrl: string
  readonly ca: string
  readonly logKey: string
  readonly certificate: string
  readonly certificateKey: string
  readonly token: string
}

const nowhere = 'sallyport dev, then export SALLYPORT_DEV=FOLDER; or give --url, --ca and who calls'

/** The options as flags give them, else as the environment does. A flag that names the broker, or who calls, replaces what the environment says of it. */
export function fromEnvironment(flags: ConnectionOptions, environment: NodeJS.ProcessEnv): ConnectionOptions {
  const value = (name: string) => environment[`SALLYPORT_${name}`] || undefined
  const place = { dev: value('DEV'), url: value('URL'), ca: value('CA') }
  const caller = {
    cert: value('CERT'),
    certKey: value('CERT_KEY'),
    keyFile: value('KEY_FILE'),
    tokenFile: value('TOKEN_FILE'),
  }
  const placeGiven = flags.dev !== undefined || flags.url !== undefined
  const callerGiven = [flags.cert, flags.keyFile, flags.tokenFile].some((flag) => flag !== undefined)
  const given = {
    ...(placeGiven ? { ca: place.ca } : place),
    ...(callerGiven ? {} : caller),
    keyHeader: value('KEY_HEADER'),
  }
  return { ...Object.fromEntries(Object.entries(given).filter(([, text]) => text !== undefined)), ...flags }
}

/** Gives a client to `use` and closes it afterwards. Throws `option_invalid` when flags and environment name no broker, or not who calls. */
export async function withBroker<T>(
  flags: ConnectionOptions,
  use: (client: Client) => Promise<T>,
): Promise<T> {
  const client = connect(fromEnvironment(flags, process.env))
  try {
    return await use(client)
  } finally {
    client.close()
  }
}

function connect(options: ConnectionOptions): Client {
  if (options.url !== undefined) {
    const ca = options.ca === undefined ? {} : { ca: read(options.ca) }
    return createClient({ url: options.url, identity: identityOf(options), ...ca })
  }
  if (options.dev !== undefined) return connectToDev(readDev(options.dev), options.as ?? 'agent')
  throw new Failure('option_invalid', 'No broker is named.', { next: nowhere })
}

/** Where the broker is, whoever calls; `undefined` where flags and environment name none. Throws `option_invalid`. */
export function placeOf(
  flags: ConnectionOptions,
): { readonly url: string; readonly ca?: string } | undefined {
  const options = fromEnvironment(flags, process.env)
  if (options.url !== undefined) return { url: options.url, ...(options.ca && { ca: read(options.ca) }) }
  if (options.dev === undefined) return undefined
  const { machineUrl, humanUrl, ca } = readDev(options.dev)
  return { url: options.as === 'person' ? humanUrl : machineUrl, ca: read(ca) }
}

type LogKeyFlags = Pick<ConnectionOptions, 'dev' | 'url'> & { readonly logKey?: string }

/** The public key of the log, where it is known without asking the broker: never that of another broker than the one that is called. */
export function knownLogKey(
  { logKey, ...place }: LogKeyFlags,
  environment: NodeJS.ProcessEnv,
): string | undefined {
  const pinned = namedLogKey({ logKey }, environment)
  const { url, dev } = fromEnvironment(place, environment)
  // As in `connect`: where a URL is named, it counts.
  if (logKey !== undefined || url !== undefined || !dev) return pinned
  return place.dev === undefined && pinned !== undefined ? pinned : readDev(dev).logKey
}

/** The key that a flag, else the environment names. */
export function namedLogKey(
  { logKey }: { readonly logKey?: string | undefined },
  environment: NodeJS.ProcessEnv,
): string | undefined {
  // A flag with nothing in it, such as `$(cat absent)`, pins nothing; it must not become another key.
  return logKey ?? (environment['SALLYPORT_LOG_KEY'] || undefined)
}

function connectToDev(dev: DevBroker, as: 'agent' | 'person'): Client {
  const identity: Identity =
    as === 'agent'
      ? { kind: 'certificate', certificate: read(dev.certificate), key: read(dev.certificateKey) }
      : { kind: 'token', token: read(dev.token).trim() }
  const url = as === 'agent' ? dev.machineUrl : dev.humanUrl
  return createClient({ url, ca: read(dev.ca), identity })
}

function readDev(folder: string): DevBroker {
  const about = parseObject(readIfThere(join(folder, 'dev.json')))
  const agent = fieldsOf(about['agent'])
  const text = (value: unknown): string => {
    if (typeof value === 'string') return value
    throw new Failure('option_invalid', `${folder} is not the folder of a development broker.`, {
      next: `sallyport dev --dir ${pathWord(folder)}`,
    })
  }
  return {
    machineUrl: text(about['machine_url']),
    humanUrl: text(about['human_url']),
    ca: text(about['ca']),
    logKey: text(about['log_key']),
    certificate: text(agent['certificate']),
    certificateKey: text(agent['certificate_key']),
    token: text(fieldsOf(about['person'])['token']),
  }
}

function identityOf(options: ConnectionOptions): Identity {
  const { cert, certKey, keyFile, keyHeader = 'X-AOS-Key', tokenFile } = options
  const next = 'give --cert and --cert-key, or --key-file, or --token-file'
  const given = [cert, keyFile, tokenFile].filter((value) => value !== undefined)
  if (given.length !== 1) throw new Failure('option_invalid', 'Say who calls, in exactly one way.', { next })
  if (keyFile !== undefined) return { kind: 'machine-key', key: read(keyFile).trim(), header: keyHeader }
  if (tokenFile !== undefined) return tokenOf(tokenFile)
  if (cert !== undefined && certKey !== undefined) return certificateOf(cert, certKey)
  throw new Failure('option_invalid', 'A certificate needs its key.', { next: 'give --cert-key FILE' })
}

/** Read now, so that a file which is not there is named, and anew for each call: platforms rotate it in its file. */
function tokenOf(file: string): Identity {
  read(file)
  return { kind: 'token', token: () => read(file).trim() }
}

function certificateOf(certFile: string, keyFile: string): Identity {
  const [certificate, key] = [read(certFile), read(keyFile)]
  try {
    createSecureContext({ cert: certificate, key })
  } catch (cause) {
    const message = `${certFile} and ${keyFile} are not a certificate and its key.`
    throw new Failure('option_invalid', message, { cause })
  }
  return { kind: 'certificate', certificate, key }
}

type Fields = Readonly<Record<string, unknown>>

function fieldsOf(value: unknown): Fields {
  return typeof value === 'object' && value !== null ? Object.fromEntries(Object.entries(value)) : {}
}

function parseObject(text: string): Fields {
  try {
    return fieldsOf(JSON.parse(text))
  } catch {
    return {}
  }
}

function readIfThere(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

/** A file that an option names. Throws `option_invalid`. */
export function read(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (cause) {
    throw new Failure('option_invalid', `The file ${path} cannot be read.`, { cause })
  }
}
