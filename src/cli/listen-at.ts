import { Failure } from '../primitives/index.ts'

export type ListenAt = { readonly host: string; readonly port: number }

/** `HOST:PORT`; an IPv6 host stands in brackets. */
export function listenAt(text: string): ListenAt {
  const match = /^(?:\[([0-9a-f:.]+)\]|([^:[\]]+)):([0-9]{1,5})$/i.exec(text)
  const port = Number(match?.[3])
  if (!match || port > 65_535) throw new Failure('option_invalid', `${text} is not HOST:PORT.`)
  return { host: match[1] ?? match[2] ?? '', port }
}

/** Throws `option_invalid` for an address that others can reach. */
export function refuseOpenBind(host: string, who: 'broker' | 'witness' = 'broker'): void {
  if (host === '127.0.0.1' || host === '::1' || host === 'localhost') return
  throw new Failure('option_invalid', `Without TLS the ${who} listens on loopback alone, not on ${host}.`, {
    next: `give --tls-cert${who === 'broker' ? ', --tls-key and --client-ca' : ' and --tls-key'}`,
  })
}
