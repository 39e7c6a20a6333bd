import { z } from 'zod'
import type { Answer, Operation } from './operation.ts'
import { operations } from './operations.ts'
import { problem } from './problem.ts'

type Json = Readonly<Record<string, unknown>>

/** The OpenAPI 3.1 description of both listeners, from the operations alone. */
export function openapi(version: string): Json {
  const paths: Record<string, Record<string, Json>> = {}
  for (const operation of operations) {
    const path = operation.path.replace('*', '{path}')
    const methods = paths[path] ?? {}
    methods[operation.method.toLowerCase()] = describe(operation)
    paths[path] = methods
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Sallyport',
      version,
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      description:
        'The credential broker. The machine and the human plane are two listeners: an operation says on which of them it stands, and a credential of the other plane is refused there.',
    },
    servers: [
      { url: 'https://127.0.0.1:7420', description: 'machine plane' },
      { url: 'https://127.0.0.1:7421', description: 'human plane' },
    ],
    paths,
    components: {
      schemas: { Problem: schemaOf(problem, 'output') },
      securitySchemes: {
        certificate: { type: 'mutualTLS', description: 'Machine plane: an X.509-SVID.' },
        platformToken: {
          type: 'http',
          scheme: 'bearer',
          bearerFormat: 'JWT',
          description: 'Machine plane: a token of a trusted platform issuer.',
        },
        machineKey: {
          type: 'apiKey',
          in: 'header',
          name: 'X-AOS-Key',
          description: 'Machine plane: a machine key; the contract names the header.',
        },
        humanToken: {
          type: 'http',
          scheme: 'bearer',
          bearerFormat: 'JWT',
          description: 'Human plane: an OpenID Connect token.',
        },
      },
    },
  }
}

function describe(operation: Operation): Json {
  const identified = operation.access === 'identified'
  const schemes = operation.planes.flatMap((plane) =>
    plane === 'machine' ? ['certificate', 'platformToken', 'machineKey'] : ['humanToken'],
  )
  return {
    operationId: operation.id,
    summary: operation.summary,
    tags: [...operation.planes],
    security: identified ? schemes.map((name) => ({ [name]: [] })) : [{}],
    parameters: parametersOf(operation),
    ...(operation.body
      ? {
          requestBody: {
            required: true,
            content: { [operation.body.type]: { schema: schemaOf(operation.body.schema, 'input') } },
          },
        }
      : {}),
    responses: {
      ...Object.fromEntries(
        Object.entries(operation.answers).map(([status, answer]) => [status, describeAnswer(answer)]),
      ),
      default: {
        description: 'A denial or a failure (RFC 9457).',
        content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
      },
    },
  }
}

function describeAnswer(answer: Answer): Json {
  const schema = answer.schema ? schemaOf(answer.schema, 'output') : { type: 'string' }
  return { description: answer.description, content: { [answer.type]: { schema } } }
}

function parametersOf(operation: Operation): Json[] {
  const wildcard = operation.path.includes('*')
    ? [{ name: 'path', in: 'path', required: true, schema: { type: 'string' } }]
    : []
  return [
    ...wildcard,
    ...parameters(operation.parameters, 'path'),
    ...parameters(operation.query, 'query'),
    ...parameters(operation.headers, 'header'),
  ]
}

function parameters(shape: z.ZodObject | undefined, place: 'path' | 'query' | 'header'): Json[] {
  if (!shape) return []
  const { properties = {}, required = [] } = z.toJSONSchema(shape, { io: 'input', unrepresentable: 'any' })
  return Object.entries(properties).map(([name, schema]) => ({
    name,
    in: place,
    required: place === 'path' || required.includes(name),
    schema,
  }))
}

function schemaOf(schema: z.ZodType, io: 'input' | 'output'): Json {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: 'any' })
  return rest
}
