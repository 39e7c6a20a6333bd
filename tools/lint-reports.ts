/** Writes what `sallyport contract lint` says of the contracts that are shown, beside each of them. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { formatLint, lintContract, requireContract } from '../src/contract/index.ts'
import { secretKindOf } from '../src/references/index.ts'

const root = join(import.meta.dirname, '..')

/** The contracts of whole environments; what is left open in them is for their adopters to decide. */
const contracts = ['agenticverz', 'ficecal']

/** Generates `contracts/NAME.lint.txt`; with `check` writes nothing and throws an `Error` that names what differs. */
export function buildLintReports(options: { readonly check: boolean }): void {
  const stale = contracts.flatMap((name) => {
    const file = `contracts/${name}.yaml`
    const contract = requireContract({ file, text: readFileSync(join(root, file), 'utf8') })
    const report = {
      file: `contracts/${name}.lint.txt`,
      text: formatLint(lintContract(contract, { secretKindOf }), contract),
    }
    return committed(report.file) === report.text ? [] : [report]
  })
  if (options.check && stale.length > 0)
    throw new Error(`${stale.map(({ file }) => file).join(' and ')} is not what the contract gives`)
  for (const { file, text } of stale) if (!options.check) writeFileSync(join(root, file), text)
}

function committed(file: string): string | undefined {
  return existsSync(join(root, file)) ? readFileSync(join(root, file), 'utf8') : undefined
}

if (import.meta.main) buildLintReports({ check: process.argv.includes('--check') })
