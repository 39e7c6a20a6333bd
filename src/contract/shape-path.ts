import { z } from 'zod'
import { contractShape } from './shape.ts'

/** The keys that the format has at a path; none where names are free. */
export function keysAt(path: readonly PropertyKey[]): readonly string[] {
  const schema = schemaAt(path)
  return schema instanceof z.ZodObject ? Object.keys(schema.shape) : []
}

/** A value that could stand at a path, as YAML on one line. */
export function exampleAt(path: readonly PropertyKey[]): string | undefined {
  const schema = schemaAt(path)
  if (schema instanceof z.ZodLiteral) return String([...schema.values][0])
  if (schema instanceof z.ZodEnum) return String(schema.options[0])
  const examples = schema === undefined ? undefined : z.globalRegistry.get(schema)?.examples
  const example: unknown = Array.isArray(examples) ? examples[0] : undefined
  return example === undefined ? undefined : flow(example)
}

function schemaAt(path: readonly PropertyKey[]): z.core.$ZodType | undefined {
  return path.reduce<z.core.$ZodType | undefined>(child, contractShape)
}

function child(schema: z.core.$ZodType | undefined, part: PropertyKey): z.core.$ZodType | undefined {
  if (schema instanceof z.ZodObject) {
    const shape: Readonly<Record<PropertyKey, z.core.$ZodType>> = schema.shape
    return Object.hasOwn(shape, part) ? unwrapped(shape[part]) : undefined
  }
  if (schema instanceof z.ZodRecord) return unwrapped(schema.valueType)
  return schema instanceof z.ZodArray ? unwrapped(schema.element) : undefined
}

function unwrapped(schema: z.core.$ZodType | undefined): z.core.$ZodType | undefined {
  return schema instanceof z.ZodOptional ? schema.unwrap() : schema
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
