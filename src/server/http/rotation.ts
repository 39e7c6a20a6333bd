import type { Broker } from '../../broker/index.ts'
import { rotateSecret, rotationRequest } from '../../protocol/index.ts'
import { identified, parsed, type Route } from './exchange.ts'

export function rotationRoutes(broker: Broker): readonly Route[] {
  return [
    identified(rotateSecret, async ({ caller, requestId, body }) => {
      const { provider, target } = parsed(rotationRequest, body, 'body')
      return {
        status: 200,
        value: { rotated: await broker.rotate({ caller, requestId, provider, target }) },
      }
    }),
  ]
}
