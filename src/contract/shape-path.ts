import { z } from 'zod'
import { contractShape } from './shape.ts'

/** The keys that the format has at a path; none where names are free. */
export function keysAt(path: readonly PropertyKey[]): readonly string[] {
  const schemas = schemasAt(path)
  return [
    ...new Set(schemas.flatMap((schema) => (schema instanceof z.ZodObject ? Object.keys(schema.shape) : []))),
  ]
}

/** The values that tell the kinds of a mapping apart, at the path of its discriminator. */
export function kindsAt(path: readonly PropertyKey[]): readonly string[] {
  return schemasAt(path).flatMap((schema) =>
    schema instanceof z.ZodLiteral ? [...schema.values].map(String) : [],
  )
}

/** A value that could stand at a path, as YAML on one line. */
export function exampleAt(path: readonly PropertyKey[]): string | undefined {
  const example = schemasAt(path)
    .map(firstExample)
    .find((one) => one !== undefined)
  return example === undefined ? undefined : flow(example)
}

function firstExample(schema: z.core.$ZodType): unknown {
  if (schema instanceof z.ZodLiteral) return [...schema.values][0]
  if (schema instanceof z.ZodEnum) return schema.options[0]
  const examples = z.globalRegistry.get(schema)?.examples
  return Array.isArray(examples) ? examples[0] : undefined
}

type Schemas = readonly z.core.$ZodType[]

/** What may stand at a path: as it is written in the shape, then what is inside, then each branch where it is a choice. */
function schemasAt(path: readonly PropertyKey[]): Schemas {
  return path.reduce<Schemas>(
    (schemas, part) => schemas.flatMap((schema) => child(schema, part)),
    [contractShape],
  )
}

function child(schema: z.core.$ZodType, part: PropertyKey): Schemas {
  if (schema instanceof z.ZodObject) {
    const shape: Readonly<Record<PropertyKey, z.core.$ZodType>> = schema.shape
    const found = Object.hasOwn(shape, part) ? shape[part] : undefined
    return found === undefined ? [] : branches(found)
  }
  if (schema instanceof z.ZodRecord) return branches(schema.valueType)
  return schema instanceof z.ZodArray ? branches(schema.element) : []
}

function branches(schema: z.core.$ZodType): Schemas {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodExactOptional)
    return [schema, ...branches(schema.unwrap())]
  return schema instanceof z.ZodUnion ? [schema, ...schema.options.flatMap(branches)] : [schema]
}

/** YAML in flow style; a text is quoted where YAML would read it as something else. */
function flow(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(flow).join(', ')}]`
  if (typeof value === 'object' && value !== null) {
    const pairs = Object.entries(value).map(([key, item]) => `${key}: ${flow(item)}`)
    return `{ ${pairs.join(', ')} }`
  }
  const plain = typeof value === 'string' && /^[A-Za-z0-9][A-Za-z0-9._:/-]*$/.test(value)
  return plain ? value : JSON.stringify(value)
}
