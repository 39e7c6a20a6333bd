import type { Mode } from '../contract/index.ts'
import type { Clock } from '../primitives/index.ts'
import { brokerLimits } from './limits.ts'
import type { Minted, MintOrder } from './ports/index.ts'

/**
 * Whether a provider minted what was ordered, as far as its own words tell: alive, not longer, something rather than nothing, no
 * wildcard action where people rely on it, and forgotten by the provider within the mode's bound.
 */
export function isHonest(
  minted: Minted,
  order: MintOrder,
  { clock, mode }: { readonly clock: Clock; readonly mode: Mode },
): boolean {
  const { notAfter, providerNotAfter, effective } = minted
  const residualMsMax =
    mode.maxResidualSeconds === undefined ? Number.POSITIVE_INFINITY : mode.maxResidualSeconds * 1000
  return (
    isTime(notAfter) &&
    isTime(providerNotAfter) &&
    notAfter > clock.now() &&
    notAfter <= order.notAfter &&
    providerNotAfter >= notAfter &&
    providerNotAfter - notAfter <= residualMsMax + brokerLimits.residualSlackMs &&
    effective.actions.length > 0 &&
    effective.resources.length > 0 &&
    (isForDevelopment(mode) || !effective.actions.some((action) => action.includes('*')))
  )
}

/** Whole milliseconds that a date can hold (ECMA-262 §21.4.1.1). */
function isTime(milliseconds: number): boolean {
  return Number.isInteger(milliseconds) && milliseconds > 0 && milliseconds <= 8.64e15
}

/** Only there a provider may be reached that cannot narrow. */
function isForDevelopment(mode: Mode): boolean {
  return mode.class === 'development' || mode.class === 'test'
}
