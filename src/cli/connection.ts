import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { type Client, createClient, type Identity } from '../../client/src/index.ts'
import { Failure } from '../primitives/index.ts'

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

export type Connection = {
  readonly client: Client
  /** The log's public key, where it is known without asking the broker. */
  readonly logKey?: string
}

const devFile = z.object({
  machine_url: z.string(),
  human_url: z.string(),
  ca: z.string(),
  log_key: z.string(),
  agent: z.object({ certificate: z.string(), certificate_key: z.string() }),
  person: z.object({ token: z.string() }),
})

/** The options as flags give them, then as the environment does. */
export function fromEnvironment(flags: ConnectionOptions, environment: NodeJS.ProcessEnv): ConnectionOptions {
  const named = {
    dev: environment['SALLYPORT_DEV'],
    url: environment['SALLYPORT_URL'],
    ca: environment['SALLYPORT_CA'],
    cert: environment['SALLYPORT_CERT'],
    certKey: environment['SALLYPORT_CERT_KEY'],
    keyFile: environment['SALLYPORT_KEY_FILE'],
    keyHeader: environment['SALLYPORT_KEY_HEADER'],
    tokenFile: environment['SALLYPORT_TOKEN_FILE'],
  }
  const given = Object.fromEntries(
    Object.entries(named).filter(([, value]) => value !== undefined && value !== ''),
  )
  return { ...given, ...flags }
}

export function connect(flags: ConnectionOptions): Connection {
  const options = fromEnvironment(flags, process.env)
  if (options.url === undefined && options.dev !== undefined)
    return connectToDev(options.dev, options.as ?? 'agent')
  if (options.url === undefined) {
    throw new Failure('option_invalid', 'No broker is named.', {
      next: 'sallyport dev, then export SALLYPORT_DEV=FOLDER; or give --url, --ca and who calls',
    })
  }
  const ca = options.ca === undefined ? {} : { ca: read(options.ca) }
  return { client: createClient({ url: options.url, identity: identityOf(options), ...ca }) }
}

function connectToDev(folder: string, as: 'agent' | 'person'): Connection {
  const about = devFile.safeParse(parseJson(read(join(folder, 'dev.json'))))
  if (!about.success)
    throw new Failure('option_invalid', `${folder} is not the folder of a development broker.`)
  const { machine_url, human_url, agent, person, log_key } = about.data
  const ca = read(about.data.ca)
  const identity: Identity =
    as === 'agent'
      ? { kind: 'certificate', certificate: read(agent.certificate), key: read(agent.certificate_key) }
      : { kind: 'token', token: read(person.token).trim() }
  return {
    client: createClient({ url: as === 'agent' ? machine_url : human_url, ca, identity }),
    logKey: log_key,
  }
}

function identityOf({
  cert,
  certKey,
  keyFile,
  keyHeader = 'X-AOS-Key',
  tokenFile,
}: ConnectionOptions): Identity {
  const given = [cert, keyFile, tokenFile].filter((value) => value !== undefined)
  if (given.length === 1) {
    if (cert !== undefined && certKey !== undefined)
      return { kind: 'certificate', certificate: read(cert), key: read(certKey) }
    if (keyFile !== undefined) return { kind: 'machine-key', key: read(keyFile).trim(), header: keyHeader }
    // Read anew for each call: platforms rotate it in its file.
    if (tokenFile !== undefined) return { kind: 'token', token: () => read(tokenFile).trim() }
  }
  throw new Failure('option_invalid', 'Say who calls, in exactly one way.', {
    next: 'give --cert and --cert-key, or --key-file, or --token-file',
  })
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (cause) {
    throw new Failure('option_invalid', `The file ${path} cannot be read.`, { cause })
  }
}
