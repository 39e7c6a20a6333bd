import { lstatSync, readFileSync, realpathSync, writeFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import {
  type Contract,
  type Detector,
  requireContract,
  requireEnvironment,
  resolveMode,
  type Severity,
} from '../contract/index.ts'
import {
  applyBaseline,
  atLeast,
  type EnvironmentSeen,
  findInEnvironment,
  findReusedValues,
  formatFingerprints,
  formatHygiene,
  type HygieneFinding,
  hygieneData,
  hygieneGithub,
  hygieneSarif,
  parseBaseline,
  parseFingerprints,
  recordFingerprints,
  staleEntry,
} from '../hygiene/index.ts'
import { Failure } from '../primitives/index.ts'
import { readContractFile } from './contract-file.ts'
import { collectVariables } from './env-file.ts'
import { exitCodes } from './exit-code.ts'
import type { ProbeMeans } from './probe-means.ts'
import type { ProbedProhibitions } from './prohibitions-probe.ts'
import { passedOverData, passedOverLines, type Searched, searchSources } from './prohibitions-sources.ts'
import { paint, printable, type Terminal } from './terminal.ts'
import { version } from './version.ts'

export type ProhibitionsOptions = ProbeMeans & {
  readonly contract: string
  readonly source?: string
  readonly env?: readonly string[]
  readonly fingerprints?: string
  readonly fingerprintKey?: string
  readonly record?: true
  readonly baseline?: string
  readonly failOn: Severity
  readonly format: 'text' | 'json' | 'sarif' | 'github'
  /** The address of the running service. */
  readonly probe?: string
}

/**
 * `sallyport prohibitions`: 1 where something is found of `--fail-on` or worse; else 7 where the service did not answer the probes and 12 where
 * its answers do not tell; else 0.
 */
export async function prohibitions(io: Terminal, options: ProhibitionsOptions): Promise<number> {
  const contract = requireContract(readContractFile(options.contract))
  requireProbe(options)
  const seen = environmentOf(contract, options)
  if (options.record) return record(io, contract, seen, options)
  const probed = await probedAt(contract, seen, options)
  const searched = searchSources(contract, options.source)
  const found = [
    ...findInEnvironment(contract, seen),
    ...reused(contract, seen, options),
    ...searched.findings,
    ...(probed?.findings ?? []),
  ]
  const { findings, acceptedCount, unsure } = withBaseline(contract, found, options)
  const notTried = [
    ...new Set([
      ...notTriedHere(contract, options, probed),
      ...unsure,
      ...searched.unread,
      ...passedOverLines(searched.passedOver),
      ...(probed?.undecided ?? []),
    ]),
  ]
  tellFindings(io, { findings, notTried, acceptedCount, passedOver: searched.passedOver }, options.format)
  if (findings.some(({ severity }) => atLeast(severity, options.failOn))) return exitCodes.failed[0]
  if (probed && !probed.answered) return exitCodes.upstream[0]
  return exitCodes[probed && probed.undecided.length > 0 ? 'unverifiable' : 'ok'][0]
}

/** Of what was left out nobody can say that it is gone, so those entries of the baseline are told and are no findings. */
function withBaseline(
  contract: Contract,
  found: readonly HygieneFinding[],
  options: ProhibitionsOptions,
): {
  readonly findings: readonly HygieneFinding[]
  readonly acceptedCount: number
  readonly unsure: readonly string[]
} {
  const { baseline: file } = options
  if (file === undefined) return { findings: found, acceptedCount: 0, unsure: [] }
  const { findings, acceptedCount, unfound } = applyBaseline(
    found,
    parseBaseline({ file, text: textOf(file) }),
  )
  if (unfound.length === 0 || !leavesOut(contract, options))
    return {
      findings: [...findings, ...unfound.map((id) => staleEntry(id, file))],
      acceptedCount,
      unsure: [],
    }
  const unsure = `${file}: of what was tried none is ${unfound.join(', ')}; whether the baseline still needs it says a run with nothing left out`
  return { findings, acceptedCount, unsure: [unsure] }
}

function leavesOut(contract: Contract, { source, fingerprints, probe }: ProhibitionsOptions): boolean {
  const detectors = [...requireEnvironment(contract).prohibitions.values()].flatMap((one) => one.detectors)
  const needs = (kind: Detector['kind']) => detectors.some((detector) => detector.kind === kind)
  if (source === undefined) return true
  return (needs('same-value') && fingerprints === undefined) || (needs('probe') && probe === undefined)
}

function requireProbe({ probe, credential, without, path, mode }: ProhibitionsOptions): void {
  const isMeant = credential.size > 0 || path.size > 0 || without !== undefined || mode !== undefined
  if (probe === undefined && isMeant)
    throw new Failure('option_invalid', 'These are means of a probe, and no service is named.', {
      next: 'add --probe URL',
    })
}

/** Loaded where a service is named: nothing else here reaches a network. */
async function probedAt(
  contract: Contract,
  variables: EnvironmentSeen,
  options: ProhibitionsOptions,
): Promise<ProbedProhibitions | undefined> {
  if (options.probe === undefined) return undefined
  const { probeProhibitions } = await import('./prohibitions-probe.ts')
  return probeProhibitions(contract, options.probe, { ...options, variables })
}

/** What this run says nothing of, by prohibition: silence must not look like a clean result. */
function notTriedHere(
  contract: Contract,
  options: ProhibitionsOptions,
  probed: ProbedProhibitions | undefined,
): readonly string[] {
  return [...requireEnvironment(contract).prohibitions.values()].flatMap(({ id, detectors }) =>
    detectors.flatMap((detector) => {
      const why = reasonUntried(detector, options, probed)
      return why === undefined ? [] : [`${id}: ${why}`]
    }),
  )
}

function reasonUntried(
  detector: Detector,
  { source, fingerprints }: ProhibitionsOptions,
  probed: ProbedProhibitions | undefined,
): string | undefined {
  switch (detector.kind) {
    case 'probe':
      return probed ? probed.untried(detector) : 'give --probe URL, which tries it on the running service'
    case 'process':
      return 'sallyport migrate holds it while the process runs'
    case 'same-value':
      return fingerprints === undefined ? 'give --fingerprints and --fingerprint-key' : undefined
    case 'source':
      return source === undefined ? 'give --source' : undefined
    case 'environment':
      return undefined
  }
}

function environmentOf(contract: Contract, { env: files = [] }: ProhibitionsOptions): EnvironmentSeen {
  const mode = [...contract.modes.values()].find(({ match }) =>
    contract.discriminators.every((name) => process.env[name] === match[name]),
  )
  const { env, missing } = collectVariables(process.env, files, mode?.name)
  if (missing.length > 0)
    throw new Failure('option_invalid', `${missing.join(' and ')} cannot be read.`, {
      next: 'name a file of variables that is there, or give {mode} its mode in the shell',
    })
  return env
}

function reused(
  contract: Contract,
  seen: EnvironmentSeen,
  options: ProhibitionsOptions,
): readonly HygieneFinding[] {
  if (options.fingerprints === undefined) return []
  const about = { mode: resolveMode(contract, seen).name, seen, key: keyOf(options) }
  return findReusedValues(contract, about, parseFingerprints(textOf(options.fingerprints)))
}

function record(
  io: Terminal,
  contract: Contract,
  seen: EnvironmentSeen,
  options: ProhibitionsOptions,
): number {
  const { fingerprints: file } = options
  if (file === undefined)
    throw new Failure('option_invalid', 'There is no file to record fingerprints in.', {
      next: 'add --fingerprints FILE',
    })
  const mode = resolveMode(contract, seen).name
  const text = lstatSync(file, { throwIfNoEntry: false }) ? textOf(file) : undefined
  const before = text === undefined ? undefined : parseFingerprints(text)
  const made = recordFingerprints(contract, { mode, seen, key: keyOf(options) }, before)
  writeFileSync(file, formatFingerprints(made))
  const names = [...(made.modes.get(mode)?.keys() ?? [])]
  if (io.json) io.data({ mode, recorded: names, file })
  else io.out(`Recorded ${names.join(', ') || 'nothing'} of ${mode} in ${file}.`)
  return exitCodes.ok[0]
}

/** A key beside its fingerprints would let every reader of the repository try out values. */
function keyOf({ fingerprintKey, fingerprints }: ProhibitionsOptions): Uint8Array {
  if (fingerprintKey === undefined)
    throw new Failure('option_invalid', 'Fingerprints cannot be compared without their key.', {
      next: 'add --fingerprint-key FILE, of a file outside the repository',
    })
  const repository = repositoryOf(resolve(fingerprintKey))
  if (repository !== undefined)
    throw new Failure('option_invalid', `The key ${fingerprintKey} lies in the repository ${repository}.`, {
      next: 'make a new one outside of it, and record the fingerprints anew',
    })
  if (fingerprints !== undefined && resolve(fingerprints) === resolve(fingerprintKey))
    throw new Failure('option_invalid', 'The key and the fingerprints are one file.')
  return bytesOf(fingerprintKey)
}

function repositoryOf(path: string): string | undefined {
  let folder = dirname(lstatSync(path, { throwIfNoEntry: false }) ? realpathSync(path) : path)
  while (true) {
    if (lstatSync(`${folder}/.git`, { throwIfNoEntry: false })) return folder
    const above = dirname(folder)
    if (above === folder) return undefined
    folder = above
  }
}

function bytesOf(file: string): Buffer {
  try {
    return readFileSync(file)
  } catch (cause) {
    throw new Failure('option_invalid', `${file} cannot be read.`, {
      cause,
      next: 'name a file that is there',
    })
  }
}

function textOf(file: string): string {
  return bytesOf(file).toString()
}

type Report = {
  readonly findings: readonly HygieneFinding[]
  readonly notTried: readonly string[]
  readonly acceptedCount: number
  readonly passedOver: Searched['passedOver']
}

function tellFindings(io: Terminal, report: Report, format: ProhibitionsOptions['format']): void {
  const { findings, notTried, acceptedCount, passedOver } = report
  switch (format) {
    case 'json':
      io.data({
        ...hygieneData(findings, notTried),
        accepted: acceptedCount,
        passed_over: passedOverData(passedOver),
      })
      return
    case 'sarif':
      io.data(hygieneSarif(findings, { version, notTried }))
      return
    case 'github':
      if (findings.length + notTried.length > 0) io.out(hygieneGithub(findings, notTried))
      return
    case 'text': {
      if (findings.length > 0) io.out(`${formatHygiene(findings, (style, text) => paint(style, text))}\n`)
      const count = findings.length === 1 ? '1 finding' : `${findings.length} findings`
      io.out(`${count}${acceptedCount > 0 ? `, ${acceptedCount} accepted by the baseline` : ''}.`)
      for (const line of notTried) io.out(`Not tried here: ${printable(line)}`)
    }
  }
}
