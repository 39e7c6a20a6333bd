import { randomUUID } from 'node:crypto'

/** The trace id of a W3C `traceparent` header, or a new one where there is none that is valid. 32 hexadecimal characters. */
export function traceId(traceparent: string | undefined): string {
  if (traceparent === undefined) return newTraceId()
  const match = /^(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?:-.*)?$/.exec(
    traceparent,
  )
  return match?.[1] ?? newTraceId()
}

function newTraceId(): string {
  const uuid = randomUUID()
  return uuid.slice(0, 8) + uuid.slice(9, 13) + uuid.slice(14, 18) + uuid.slice(19, 23) + uuid.slice(24)
}
