import { z } from 'zod'
import type { Operation } from './operation.ts'

const common = { method: 'GET', access: 'public', planes: ['machine', 'human'] } as const

export const readiness = z.object({
  ready: z.boolean(),
  checks: z.record(z.string(), z.string()),
})

export const getLivez: Operation = {
  ...common,
  id: 'livez',
  path: '/livez',
  summary: 'Whether the process answers; never looks at anything else',
  answers: { 200: { description: 'Alive.', type: 'text/plain' } },
}

export const getReadyz: Operation = {
  ...common,
  id: 'readyz',
  path: '/readyz',
  summary: 'Whether it can issue: the log takes entries; a log that failed is tried again',
  answers: {
    200: { description: 'Ready.', type: 'application/json', schema: readiness },
    503: { description: 'Not ready; `checks` says why.', type: 'application/json', schema: readiness },
  },
}

export const getMetrics: Operation = {
  ...common,
  id: 'metrics',
  path: '/metrics',
  summary: 'Prometheus metrics; no label names an agent, tenant or resource',
  answers: { 200: { description: 'Text exposition format.', type: 'text/plain; version=0.0.4' } },
}

export const getOpenapi: Operation = {
  ...common,
  id: 'openapi',
  path: '/openapi.json',
  summary: 'This description',
  answers: {
    200: { description: 'OpenAPI 3.1.', type: 'application/json', schema: z.record(z.string(), z.unknown()) },
  },
}

export const getDocs: Operation = {
  ...common,
  id: 'docs',
  path: '/docs',
  summary: 'This description as a page that needs no network',
  answers: { 200: { description: 'HTML.', type: 'text/html; charset=utf-8' } },
}
