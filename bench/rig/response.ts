export type Response = { readonly status: number; readonly retryAfter: boolean; readonly whole: () => string }

/** Takes the bytes of a connection as they come and tells of each whole answer. Answers have a length or are chunked. */
export function createReader(onAnswer: (response: Response) => void): (chunk: Buffer) => void {
  let rest: Buffer = Buffer.alloc(0)
  return (chunk) => {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
    for (let end = endOf(rest); end !== undefined && end <= rest.length; end = endOf(rest)) {
      const bytes = rest.subarray(0, end)
      rest = rest.subarray(end)
      onAnswer({
        status: Number(bytes.toString('latin1', 9, 12)),
        retryAfter: /\r\nretry-after: [0-9]+\r\n/i.test(headOf(bytes)),
        whole: () => bytes.toString('utf8'),
      })
    }
  }
}

const blankLine = '\r\n\r\n'

/** Where the first answer ends; `undefined` while that cannot be known. */
function endOf(bytes: Buffer): number | undefined {
  const headEnd = bytes.indexOf(blankLine)
  if (headEnd < 0) return undefined
  const body = headEnd + blankLine.length
  const length = /\r\ncontent-length: ([0-9]+)/i.exec(bytes.toString('latin1', 0, body))?.[1]
  if (length !== undefined) return body + Number(length)
  if (bytes.toString('latin1', 9, 12) === '204') return body
  const last = bytes.indexOf('\r\n0\r\n\r\n', headEnd + 2)
  return last < 0 ? undefined : last + 7
}

function headOf(bytes: Buffer): string {
  return bytes.toString('latin1', 0, bytes.indexOf(blankLine) + 2)
}
