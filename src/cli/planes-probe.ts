import {
  type Contract,
  requireContract,
  requireEnvironment,
  type SarifLevel,
  sarifLog,
} from '../contract/index.ts'
import {
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
import type { Secret } from '../primitives/index.ts'
import { readContractFile } from './contract-file.ts'
import { exitCodes } from './exit-code.ts'
import { credentialsOf, mapOf, type ProbeMeans, pathsOf, serviceAt } from './probe-means.ts'
import { paint, type Terminal, tell } from './terminal.ts'
import { version } from './version.ts'

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
  const paths = pathsOf(contract, map, means)
  const plan = planProbe({ contract, map, credentials: [...credentials.keys()], paths })
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
