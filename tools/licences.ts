import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** Writes the licence of every package that is inside a bundle; gives their names. */
export function writeLicences(options: {
  root: string
  /** The files that went into the bundles, relative to `root`. */
  inputs: Iterable<string>
  target: string
}): readonly string[] {
  const folders = [...new Set([...options.inputs].flatMap((input) => packageFolder(input) ?? []))].sort()
  const sections = folders.map((folder) => {
    const { name, version, license } = readManifest(join(options.root, folder))
    return `${name} ${version} (${license})\n\n${licenceText(join(options.root, folder), license)}\n`
  })
  const head = 'Sallyport is published with these packages inside. Each stands under its own licence.\n'
  writeFileSync(options.target, [head, ...sections].join(`\n${'-'.repeat(80)}\n\n`))
  return folders
}

/** `node_modules/…/name` of a file inside a package. */
function packageFolder(input: string): string | undefined {
  return /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/.][^/]*(?=\/)/.exec(input)?.[0]
}

function readManifest(folder: string): { name: string; version: string; license: string } {
  const manifest: Record<string, unknown> = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  const text = (key: string) => String(manifest[key] ?? 'unknown')
  return { name: text('name'), version: text('version'), license: text('license') }
}

function licenceText(folder: string, license: string): string {
  const files = existsSync(folder)
    ? readdirSync(folder).filter((file) => /^(licen[cs]e|copying|notice)/i.test(file))
    : []
  if (files.length > 0)
    return files.map((file) => readFileSync(join(folder, file), 'utf8').trim()).join('\n\n')
  return `The package brings no licence text; its manifest says ${license}.`
}
