import { SallyportError } from './error.ts'
import {
  type Answer,
  type Call,
  type ClientOptions,
  createTransport,
  parseObject,
  problemError,
} from './transport.ts'
import type {
  BulkRevocation,
  CredentialRequest,
  Denial,
  EndedLease,
  Explanation,
  InclusionProof,
  Issued,
  Lease,
  LeaseQuery,
  LogEntries,
  RevocationFilter,
} from './wire.ts'

export type RequestOptions = {
  /** A repeated request with the same key never mints twice. */
  readonly idempotencyKey?: string
  /** Seconds that the broker may take. */
  readonly waitSeconds?: number
  /** W3C `traceparent` of the action; its trace id stands in every entry. */
  readonly traceparent?: string
  readonly signal?: AbortSignal
}

/** Sallyport's machine plane. Every method throws `SallyportError` for what is not an answer. */
export interface Client {
  /** Asks for a credential. A denial is an answer, with its rule and remedy. */
  request(request: CredentialRequest, options?: RequestOptions): Promise<Issued | Denial>
  /** What would be decided; nothing is minted. */
  explain(
    request: CredentialRequest,
    options?: Pick<RequestOptions, 'signal' | 'traceparent'>,
  ): Promise<Explanation>
  leases(query?: LeaseQuery): Promise<{ readonly leases: readonly Lease[]; readonly next?: string }>
  lease(id: string): Promise<Lease>
  /** Ends a lease now; ending an ended one succeeds. */
  revoke(id: string): Promise<EndedLease>
  revokeWhere(filter: RevocationFilter): Promise<BulkRevocation>
  /** RFC 7662: whether a token works now, and its claims. */
  introspect(token: string): Promise<Readonly<Record<string, unknown>> & { readonly active: boolean }>
  /** RFC 7009. */
  revokeToken(token: string): Promise<void>
  checkpoint(): Promise<string>
  /** Needs the role auditor or platform. */
  entries(query?: { from?: number; count?: number }): Promise<LogEntries>
  inclusionProof(query: { index: number; size?: number }): Promise<InclusionProof>
  /** The whole log for offline verification; needs the role platform. */
  exportLog(): Promise<AsyncIterable<Uint8Array>>
  /** A copy of the store as it is at one moment, without any key; human plane, role platform. */
  backup(): Promise<AsyncIterable<Uint8Array>>
  /** Rotates a provider's own secret; human plane, role platform. */
  rotate(provider: string, target: string): Promise<string>
  close(): void
}

export function createClient(options: ClientOptions): Client {
  const transport = createTransport(options)
  const call = async <T>(
    wanted: Call,
    is: (value: Readonly<Record<string, unknown>>) => value is T & Readonly<Record<string, unknown>>,
  ): Promise<T> => {
    const answer = await transport.call(wanted)
    if (answer.status < 200 || answer.status > 299) throw problemError(answer)
    return expect(answer, is)
  }
  return {
    async request(request, how = {}) {
      const answer = await transport.call({
        method: 'POST',
        path: '/v1/credentials',
        body: request,
        ...headersOf(how),
      })
      if (answer.status === 201)
        return { ...expect(answer, has<Omit<Issued, 'kind'>>('lease_id', 'credential')), kind: 'issued' }
      const problem = parseObject(answer.text)
      if (answer.status === 403 && problem['code'] === 'denied') {
        return { ...expect(answer, has<Omit<Denial, 'kind'>>('rule', 'next')), kind: 'denied' }
      }
      throw problemError(answer)
    },
    explain: (request, how = {}) =>
      call(
        { method: 'POST', path: '/v1/explain', body: request, ...headersOf(how) },
        has<Explanation>('decision'),
      ),
    leases: (query = {}) => call({ method: 'GET', path: withQuery('/v1/leases', query) }, has('leases')),
    lease: async (id) => call({ method: 'GET', path: leasePath(id) }, has<Lease>('lease_id')),
    revoke: async (id) => call({ method: 'DELETE', path: leasePath(id) }, has<EndedLease>('lease', 'proof')),
    revokeWhere: (filter) =>
      call({ method: 'POST', path: '/v1/revocations', body: filter }, has<BulkRevocation>('refused')),
    introspect: (token) =>
      call(
        { method: 'POST', path: '/oauth2/introspect', form: { token } },
        has<{ readonly active: boolean }>('active'),
      ),
    async revokeToken(token) {
      const answer = await transport.call({ method: 'POST', path: '/oauth2/revoke', form: { token } })
      if (answer.status !== 200) throw problemError(answer)
    },
    async checkpoint() {
      const answer = await transport.call({ method: 'GET', path: '/log/checkpoint' })
      if (answer.status !== 200) throw problemError(answer)
      return answer.text
    },
    entries: (query = {}) =>
      call({ method: 'GET', path: withQuery('/v1/log/entries', query) }, has<LogEntries>('entries')),
    inclusionProof: (query) =>
      call(
        { method: 'GET', path: withQuery('/v1/log/proof/inclusion', query) },
        has<InclusionProof>('hashes'),
      ),
    exportLog: () => transport.stream({ method: 'GET', path: '/v1/log/export' }),
    backup: () => transport.stream({ method: 'POST', path: '/v1/backups', waitSeconds: copySecondsMax }),
    rotate: async (provider, target) =>
      (
        await call(
          { method: 'POST', path: '/v1/rotations', body: { provider, target } },
          has<{ readonly rotated: string }>('rotated'),
        )
      ).rotated,
    close: () => transport.close(),
  }
}

/** Within this the broker has copied its store. */
const copySecondsMax = 600

function leasePath(id: string): string {
  // `..` would be another path.
  if (/^[A-Za-z0-9_]{1,64}$/.test(id)) return `/v1/leases/${id}`
  throw new SallyportError('option_invalid', 'That is no id of a lease.')
}

function headersOf({
  idempotencyKey,
  waitSeconds,
  traceparent,
  signal,
}: RequestOptions): Pick<Call, 'headers' | 'signal' | 'waitSeconds'> {
  return {
    ...(waitSeconds === undefined ? {} : { waitSeconds }),
    headers: {
      ...(idempotencyKey === undefined ? {} : { 'idempotency-key': idempotencyKey }),
      ...(waitSeconds === undefined ? {} : { prefer: `wait=${waitSeconds}` }),
      ...(traceparent === undefined ? {} : { traceparent }),
    },
    ...(signal === undefined ? {} : { signal }),
  }
}

function withQuery(path: string, query: Readonly<Record<string, string | number | undefined>>): string {
  const given = Object.entries(query).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, String(value)] satisfies [string, string]],
  )
  return given.length === 0 ? path : `${path}?${new URLSearchParams(given)}`
}

type Object = Readonly<Record<string, unknown>>

/** Whether an answer is of the kind that these fields tell apart; the broker's own schemas hold the rest. */
function has<T>(...fields: readonly string[]): (value: Object) => value is T & Object {
  return (value): value is T & Object => fields.every((field) => field in value)
}

function expect<T>(answer: Answer, is: (value: Object) => value is T & Object): T {
  const value = parseObject(answer.text)
  if (is(value)) return value
  throw new SallyportError('answer_invalid', 'The broker answered with something else than was asked for.', {
    status: answer.status,
  })
}
