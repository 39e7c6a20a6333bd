import { lstatSync, readFileSync, realpathSync, writeFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import {
  type Contract,
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
  findInSource,
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
} from '../hygiene/index.ts'
import { Failure } from '../primitives/index.ts'
import { readContractFile } from './contract-file.ts'
import { collectVariables } from './env-file.ts'
import { exitCodes } from './exit-code.ts'
import { readSources } from './source-files.ts'
import { paint, type Terminal } from './terminal.ts'
import { version } from './version.ts'

export type ProhibitionsOptions = {
  readonly contract: string
  readonly source?: string
  readonly env?: readonly string[]
  readonly fingerprints?: string
  readonly fingerprintKey?: string
  readonly record?: true
  readonly baseline?: string
  readonly failOn: Severity
  readonly format: 'text' | 'json' | 'sarif' | 'github'
}

/** `sallyport prohibitions`: 0 where nothing is found of `--fail-on` or worse, else 1. */
export function prohibitions(io: Terminal, options: ProhibitionsOptions): number {
  const contract = requireContract(readContractFile(options.contract))
  const { prohibitions: rules } = requireEnvironment(contract)
  const seen = environmentOf(contract, options)
  if (options.record) return record(io, contract, seen, options)
  const found = [
    ...findInEnvironment(contract, seen),
    ...reused(contract, seen, options),
    ...sourceFindings(contract, options),
  ]
  const { findings, acceptedCount } = options.baseline
    ? applyBaseline(found, parseBaseline({ file: options.baseline, text: textOf(options.baseline) }))
    : { findings: found, acceptedCount: 0 }
  const notTried = [...rules.values()].flatMap(({ id, detectors }) =>
    detectors.flatMap((detector) => notTriedHere(detector.kind, options).map((how) => `${id}: ${how}`)),
  )
  tellFindings(io, { findings, notTried, acceptedCount }, options.format)
  return exitCodes[findings.some(({ severity }) => atLeast(severity, options.failOn)) ? 'failed' : 'ok'][0]
}

/** What this run says nothing of: silence must not look like a clean result. */
function notTriedHere(kind: string, { source, fingerprints }: ProhibitionsOptions): readonly string[] {
  if (kind === 'probe') return ['sallyport planes probe URL tries it on the running service']
  if (kind === 'process') return ['sallyport migrate holds it while the process runs']
  if (kind === 'same-value' && fingerprints === undefined)
    return ['give --fingerprints and --fingerprint-key']
  if (kind === 'source' && source === undefined) return ['give --source']
  return []
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

function sourceFindings(contract: Contract, { source }: ProhibitionsOptions): readonly HygieneFinding[] {
  if (source === undefined) return []
  const findings: HygieneFinding[] = []
  for (const file of readSources(contract, source)) findings.push(...findInSource(contract, file))
  return findings
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
}

function tellFindings(io: Terminal, report: Report, format: ProhibitionsOptions['format']): void {
  const { findings, notTried, acceptedCount } = report
  switch (format) {
    case 'json':
      io.data({ ...hygieneData(findings, notTried), accepted: acceptedCount })
      return
    case 'sarif':
      io.data(hygieneSarif(findings, version))
      return
    case 'github':
      if (findings.length > 0) io.out(hygieneGithub(findings))
      return
    case 'text': {
      if (findings.length > 0) io.out(`${formatHygiene(findings, (style, text) => paint(style, text))}\n`)
      const count = findings.length === 1 ? '1 finding' : `${findings.length} findings`
      io.out(`${count}${acceptedCount > 0 ? `, ${acceptedCount} accepted by the baseline` : ''}.`)
      for (const line of new Set(notTried)) io.out(`Not tried here: ${line}`)
    }
  }
}
