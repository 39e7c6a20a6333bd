import {
  type Contract,
  requireContract,
  requireEnvironment,
  resolveMode,
  type SarifLevel,
  sarifLog,
} from '../contract/index.ts'
import {
  createPlaneMap,
  credentialWords,
  headerOf,
  judgeProbe,
  type PlaneMap,
  type Probe,
  type ProbeAnswer,
  type ProbeFinding,
  type ProbeTry,
  planProbe,
  probeRules,
} from '../planes/index.ts'
import { Failure, Secret } from '../primitives/index.ts'
import { read } from './connection.ts'
import { readContractFile } from './contract-file.ts'
import { exitCodes } from './exit-code.ts'
import { paint, type Terminal, tell } from './terminal.ts'
import { version } from './version.ts'

/** What a service is tried with. */
export type ProbeMeans = {
  readonly mode?: string
  /** Plane to the file of a valid credential. */
  readonly credential: ReadonlyMap<string, string>
  readonly without?: readonly string[]
  /** Glob to a real path. */
  readonly path: ReadonlyMap<string, string>
}

export type ProbeOptions = ProbeMeans & {
  readonly contract: string
  readonly format: 'text' | 'json' | 'sarif'
}

/** `planes probe`: 0 where no plane is crossed, 1 with findings, 12 where it could not be told, 7 where nothing answered. */
export async function probePlanes(io: Terminal, url: string, options: ProbeOptions): Promise<number> {
  const contract = requireContract(readContractFile(options.contract))
  const probed = await probeService(contract, url, { ...options, variables: process.env })
  if (options.format === 'text' && probed.probes.every(({ answer }) => answer.kind === 'failed'))
    return tell(io, { ...nobody, message: `${url} does not answer.` })
  tellProbe(io, { contract, ...probed, format: options.format })
  return exitOf(probed.probes, probed.findings)
}

export type Probed = {
  readonly map: PlaneMap
  readonly probes: readonly Probe[]
  readonly findings: readonly ProbeFinding[]
}

/** Tries a running service; `variables` are those of its environment. Throws `option_invalid` before anything is sent. */
export async function probeService(
  contract: Contract,
  url: string,
  means: ProbeMeans & { readonly variables: Readonly<Record<string, string | undefined>> },
): Promise<Probed> {
  const service = serviceAt(url)
  const map = mapOf(contract, means)
  const credentials = credentialsOf(contract, means)
  const plan = planProbe({ contract, map, credentials: [...credentials.keys()], paths: means.path })
  const probes: Probe[] = []
  // One after the other: a service that limits rates must not be mistaken for one that refuses.
  for (const tried of plan)
    probes.push({ tried, answer: await send(service, tried, { contract, credentials }) })
  return { map, probes, findings: judgeProbe(contract, map, probes) }
}

const nobody = { code: 'unreachable', next: 'does the service run, and is that the address of its proxy?' }

function exitOf(probes: readonly Probe[], findings: readonly ProbeFinding[]): number {
  if (probes.every(({ answer }) => answer.kind === 'failed')) return exitCodes.upstream[0]
  if (findings.some(({ severity }) => severity !== undefined)) return exitCodes.failed[0]
  return findings.length > 0 ? exitCodes.unverifiable[0] : exitCodes.ok[0]
}

function mapOf(
  contract: Contract,
  { mode: named, variables }: { mode?: string; variables: Readonly<Record<string, string | undefined>> },
): PlaneMap {
  const mode = named ?? resolveMode(contract, variables).name
  if (!contract.modes.has(mode))
    throw new Failure('option_invalid', `The contract ${contract.file} has no mode ${mode}.`, {
      next: `name one of ${[...contract.modes.keys()].join(', ')}`,
    })
  return createPlaneMap({ contract, mode, variables })
}

/** A valid credential for every plane that is reached by HTTP, or its waiver: a crossing that was not tried must not look like none. */
function credentialsOf(contract: Contract, options: ProbeMeans): ReadonlyMap<string, Secret> {
  const planes = [...requireEnvironment(contract).planes.values()].filter(
    (plane) => headerOf(plane) !== undefined,
  )
  const names = planes.map(({ name }) => name)
  const unknown = [...options.credential.keys(), ...(options.without ?? [])].find(
    (name) => !names.includes(name),
  )
  if (unknown !== undefined)
    throw new Failure(
      'option_invalid',
      `${unknown} is no plane with a credential; there are ${names.join(', ')}.`,
    )
  const missing = names.find((name) => !options.credential.has(name) && !options.without?.includes(name))
  if (missing !== undefined)
    throw new Failure(
      'option_invalid',
      `No credential of the plane ${missing} was named, so no crossing by it can be tried.`,
      {
        next: `give --credential ${missing}=FILE, or --without ${missing}`,
      },
    )
  return new Map([...options.credential].map(([plane, file]) => [plane, credentialIn(file)]))
}

/** What no header can hold would be refused by nobody, and look like a service that does not answer. */
function credentialIn(file: string): Secret {
  const text = read(file).trim()
  if (/^[\x21-\x7e]+$/.test(text)) return new Secret(text)
  throw new Failure('option_invalid', `The file ${file} holds no credential: one line of printable ASCII.`)
}

/** Valid credentials are sent there. */
function serviceAt(text: string): URL {
  const url = URL.parse(text)
  const isSafe =
    url?.protocol === 'https:' ||
    (url?.protocol === 'http:' && /^(127\.0\.0\.1|localhost|\[::1\])$/.test(url.hostname))
  if (!url || !isSafe || url.username !== '' || url.search !== '' || url.hash !== '')
    throw new Failure(
      'option_invalid',
      `${text} is no address of a service with https, or with http on loopback.`,
    )
  return url
}

const probeMilliseconds = 10_000
const bodyBytesMax = 64 * 1024

async function send(
  service: URL,
  { path, shown }: ProbeTry,
  { contract, credentials }: { contract: Contract; credentials: ReadonlyMap<string, Secret> },
): Promise<ProbeAnswer> {
  try {
    const response = await fetch(`${service.href.replace(/\/$/, '')}${path}`, {
      headers: { 'user-agent': `sallyport/${version}`, ...headersFor(contract, shown, credentials) },
      redirect: 'manual',
      signal: AbortSignal.timeout(probeMilliseconds),
    })
    return { kind: 'answered', status: response.status, body: await bodyOf(response) }
  } catch (thrown) {
    const timedOut = thrown instanceof Error && thrown.name === 'TimeoutError'
    return { kind: 'failed', why: timedOut ? `no answer in ${probeMilliseconds / 1000} s` : 'no answer' }
  }
}

function headersFor(
  contract: Contract,
  shown: string | undefined,
  credentials: ReadonlyMap<string, Secret>,
): Readonly<Record<string, string>> {
  const rules = shown === undefined ? undefined : requireEnvironment(contract).planes.get(shown)
  const secret = shown === undefined ? undefined : credentials.get(shown)
  const header = rules && headerOf(rules)
  if (header === undefined || !secret) return {}
  return { [header]: header === 'authorization' ? `Bearer ${secret.reveal()}` : secret.reveal() }
}

async function bodyOf(response: Response): Promise<string> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of response.body ?? []) {
    bytes += chunk.length
    if (bytes > bodyBytesMax) break
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString()
}

type ProbeReport = Probed & { readonly contract: Contract }

function tellProbe(io: Terminal, report: ProbeReport & { readonly format: ProbeOptions['format'] }): void {
  switch (report.format) {
    case 'json':
      io.data(dataOf(report))
      return
    case 'sarif':
      io.data(sarifOf(report))
      return
    case 'text':
      tellText(io, report)
  }
}

function tellText(io: Terminal, { contract, map, probes, findings }: ProbeReport): void {
  for (const { tried, answer } of probes) {
    const found = findings.some((finding) => finding.tried === tried)
    const seen = answer.kind === 'answered' ? String(answer.status) : answer.why
    const shown = tried.shown === undefined ? 'nothing' : credentialWords(contract, tried.shown)
    io.out(
      `${found ? paint('red', 'no') : paint('green', 'ok')}  ${tried.path.padEnd(44)} with ${shown.padEnd(14)} ${seen}`,
    )
  }
  for (const finding of findings) {
    const { severity, message, reason, prohibition, tried } = finding
    io.out(
      `\n${paint('red', severity === undefined ? 'cannot be told' : severityWords(severity))}: ${message}`,
    )
    if (reason !== undefined) io.out(`  ${prohibition}: ${reason}`)
    if (tried.place) io.out(`  ${contract.file}:${tried.place.line}`)
  }
  const count = findings.length === 1 ? '1 finding' : `${findings.length} findings`
  io.out(`\n${count} in ${probes.length} requests · mode ${map.mode} · ${contract.file}`)
}

function severityWords(severity: string): string {
  return severity.replaceAll('-', ' ')
}

function dataOf({ contract, map, probes, findings }: ProbeReport) {
  return {
    ok: findings.length === 0,
    mode: map.mode,
    contract: contract.file,
    tried: probes.map(({ tried, answer }) => ({
      path: tried.path,
      plane: tried.plane ?? null,
      shown: tried.shown ?? null,
      expected: tried.expects,
      ...(answer.kind === 'answered' ? { status: answer.status } : { failed: answer.why }),
    })),
    findings: findings.map(({ tried, ...finding }) => ({
      ...finding,
      severity: finding.severity ?? null,
      path: tried.path,
      endpoint: tried.endpoint ?? null,
      plane: tried.plane ?? null,
      shown: tried.shown ?? null,
      ...(tried.place && { line: tried.place.line }),
    })),
  }
}

function sarifOf({ contract, findings }: ProbeReport) {
  return sarifLog({
    version,
    rules: Object.entries(probeRules).map(([id, text]) => ({ id, level: 'error', text })),
    results: findings.map(({ rule, message, severity, reason, tried }) => ({
      ruleId: rule,
      level: levelOf(severity),
      message: `${message}${severity === undefined ? '' : `: ${severityWords(severity)}`}${reason === undefined ? '' : `. ${reason}`}`,
      file: contract.file,
      ...(tried.place && { place: tried.place }),
    })),
  })
}

function levelOf(severity: ProbeFinding['severity']): SarifLevel {
  if (severity === undefined || severity === 'medium') return 'warning'
  return severity === 'low' ? 'note' : 'error'
}
