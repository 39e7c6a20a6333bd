import http from 'node:http'
import https from 'node:https'
import { type JsonObject, parseJsonObject } from './json.ts'

/** No discovery document or key set is longer than this. */
export const documentBytesMax = 256 * 1024

/**
 * Fetches one JSON object. No redirect is followed, nothing is decompressed, and only status 200 counts. Rejects with an `Error` whose
 * message is for the log alone. `caPem` replaces the authorities that Node trusts.
 */
export async function fetchDocument(options: {
  readonly url: URL
  readonly caPem: string | undefined
  readonly signal: AbortSignal
}): Promise<JsonObject> {
  const response = await open(options)
  const text = await readBody(response)
  const document = parseJsonObject(text)
  if (!document) throw new Error(`${options.url.href} answered with something that is no JSON object.`)
  return document
}

/** The address if keys may be fetched from it: https, or http to this machine alone; else `undefined`. */
export function documentUrl(text: string): URL | undefined {
  if (!URL.canParse(text)) return undefined
  const url = new URL(text)
  if (url.username !== '' || url.password !== '' || url.hash !== '') return undefined
  if (url.protocol === 'https:') return url
  return url.protocol === 'http:' && /^(localhost|127(\.[0-9]+){3}|\[::1\])$/.test(url.hostname)
    ? url
    : undefined
}

function open(options: {
  readonly url: URL
  readonly caPem: string | undefined
  readonly signal: AbortSignal
}): Promise<http.IncomingMessage> {
  const { url, caPem, signal } = options
  const { promise, resolve, reject } = Promise.withResolvers<http.IncomingMessage>()
  const shape = {
    agent: false,
    signal,
    headers: { accept: 'application/json', 'accept-encoding': 'identity' },
  }
  const request =
    url.protocol === 'https:'
      ? https.get(
          url,
          { ...shape, rejectUnauthorized: true, ...(caPem !== undefined && { ca: caPem }) },
          resolve,
        )
      : http.get(url, shape, resolve)
  request.on('error', reject)
  return promise
}

async function readBody(response: http.IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let size = 0
  try {
    if (response.statusCode !== 200)
      throw new Error(`The issuer answered with status ${response.statusCode}.`)
    if (response.headers['content-encoding'] !== undefined) throw new Error('The issuer answered compressed.')
    for await (const chunk of response) {
      const bytes = Buffer.from(chunk)
      size += bytes.length
      if (size > documentBytesMax)
        throw new Error(`The issuer answered with more than ${documentBytesMax} bytes.`)
      chunks.push(bytes)
    }
  } finally {
    response.destroy()
  }
  return Buffer.concat(chunks).toString('utf8')
}
