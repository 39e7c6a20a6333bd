export type Sum = { readonly passed: number; readonly failed: number; readonly skipped: number }

/** The last line of a run, and its exit code. What was skipped has not passed; with CI=true, where nothing may be missing, it has failed. */
export function sumUp(
  { passed, failed, skipped }: Sum,
  isCi = process.env['CI'] === 'true',
): { readonly line: string; readonly code: 0 | 1 } {
  const failures = failed + (isCi ? skipped : 0)
  const tail = !isCi && skipped > 0 ? `, ${skipped} skipped` : ''
  return {
    line: `${passed} passed, ${failures} failed${tail}`,
    code: failures === 0 && passed > 0 ? 0 : 1,
  }
}
