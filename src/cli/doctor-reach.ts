import { request as plainRequest } from 'node:http'
import { type RequestOptions, request as tlsRequest } from 'node:https'
import type { Examined } from '../catalog/index.ts'
import type { Issuer } from '../contract/index.ts'
import { type ConnectionOptions, placeOf, read } from './connection.ts'

const answerMilliseconds = 5_000
const bodyBytesMax = 64 * 1024

type Answer = {
  readonly status: number
  readonly body: string
  /** How far the clock here is ahead of theirs, in seconds; their header has whole seconds. */
  readonly aheadSeconds?: number
}

/** `/readyz` of the broker that is named: whether it issues, and which check says no. */
export async function examineBroker(options: ConnectionOptions): Promise<Examined & Clocked> {
  const place = placeOf(options)
  if (place === undefined)
    return { state: 'skipped', detail: 'none is named', next: '--url URL, or SALLYPORT_DEV' }
  try {
    const answer = await get(new URL('/readyz', place.url), place.ca)
    const clocked = answer.aheadSeconds === undefined ? {} : { aheadSeconds: answer.aheadSeconds }
    const said = checksIn(answer.body)
    const detail = said === '' ? `/readyz answers ${answer.status}` : said
    if (answer.status === 200 && said !== '') return { ...clocked, state: 'ok', detail: `ready: ${detail}` }
    if (answer.status === 503 && said !== '')
      return {
        ...clocked,
        state: 'bad',
        detail: `not ready: ${detail}`,
        next: 'the log of the broker says why',
      }
    return { ...clocked, state: 'bad', detail, next: 'is that the address of a plane of a broker?' }
  } catch (thrown) {
    return {
      state: 'bad',
      detail: `${place.url} ${whyOf(thrown)}`,
      next: 'does it run, and is --ca who signed it?',
    }
  }
}

export type Clocked = { readonly aheadSeconds?: number }

function checksIn(body: string): string {
  try {
    const { checks }: { checks?: Readonly<Record<string, unknown>> } = JSON.parse(body)
    return Object.entries(checks ?? {})
      .map(([name, value]) => `${name} ${value}`)
      .join(', ')
  } catch {
    return ''
  }
}

/** Whether the issuer's keys, or the document that leads to them, are to be had from here. */
export async function examineIssuer({ issuer, jwksUri, caFile }: Issuer): Promise<Examined & Clocked> {
  const url = jwksUri ?? `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`
  const ca = caFile === undefined ? undefined : read(caFile)
  try {
    const { status, aheadSeconds } = await get(new URL(url), ca)
    const clocked = aheadSeconds === undefined ? {} : { aheadSeconds }
    if (status === 200) return { ...clocked, state: 'ok', detail: `${url} answers` }
    return {
      ...clocked,
      state: 'warn',
      detail: `${url} answers ${status}`,
      next: 'is `issuer` or `jwks` right?',
    }
  } catch (thrown) {
    const next = 'its tokens are refused until it does: is the address right, and caFile?'
    return { state: 'warn', detail: `${url} ${whyOf(thrown)}`, next }
  }
}

/** The clock here against that of the first who must agree with it and has answered. */
export function examineClock(others: readonly (Clocked & { readonly check: string })[]): Examined {
  for (const { check, aheadSeconds } of others)
    if (aheadSeconds !== undefined) return clockOf(aheadSeconds, `the ${check}`)
  const next = 'name a broker with --url, or a contract whose issuers answer'
  return { state: 'skipped', detail: 'it cannot be told: nobody to compare it with has answered', next }
}

/** Certificates and tokens begin to be refused at half a minute. */
const skewSecondsMax = { warn: 5, bad: 30 } as const

function clockOf(aheadSeconds: number, of: string): Examined {
  const away = Math.abs(aheadSeconds)
  if (away < skewSecondsMax.warn) return { state: 'ok', detail: `agrees with that of ${of}` }
  const detail = `${Math.round(away)} s ${aheadSeconds > 0 ? 'ahead of' : 'behind'} that of ${of}`
  const state = away < skewSecondsMax.bad ? 'warn' : 'bad'
  return { state, detail, next: 'let both keep time by NTP: tokens and certificates depend on it' }
}

async function get(url: URL, ca: string | undefined): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>()
  const options: RequestOptions = { ...(ca && { ca }), signal: AbortSignal.timeout(answerMilliseconds) }
  const began = Date.now()
  const request = (url.protocol === 'https:' ? tlsRequest : plainRequest)(url, options, (response) => {
    const date = Date.parse(response.headers.date ?? '')
    // Between asking and answering, and within the second that is written.
    const aheadSeconds = ((began + Date.now()) / 2 - (date + 500)) / 1000
    const chunks: Buffer[] = []
    let bytes = 0
    response.on('data', (chunk: Buffer) => {
      bytes += chunk.length
      if (bytes <= bodyBytesMax) chunks.push(chunk)
      else response.destroy(new Error('answers too much'))
    })
    response.once('error', reject)
    response.once('end', () => {
      const body = Buffer.concat(chunks).toString()
      const status = response.statusCode ?? 0
      resolve({ status, body, ...(Number.isNaN(date) ? {} : { aheadSeconds }) })
    })
  })
  request.once('error', reject)
  request.end()
  return promise
}

function whyOf(thrown: unknown): string {
  if (!(thrown instanceof Error)) return 'does not answer'
  if (thrown.name === 'TimeoutError' || thrown.name === 'AbortError') return 'does not answer in time'
  return `does not answer (${'code' in thrown ? String(thrown.code) : thrown.message})`
}
