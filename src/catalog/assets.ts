import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'

/**
 * The path of a file that ships beside the code, such as `policies/bundle/policy.wasm`, from the package's root. The root is the nearest
 * folder above that holds `package.json`, so it is the same from `src/` and from the bundle in `dist/`.
 */
export function assetPath(path: string): string {
  return join(packageRoot, path)
}

const packageRoot = findRoot(import.meta.dirname)

function findRoot(folder: string): string {
  if (existsSync(join(folder, 'package.json'))) return folder
  const parent = dirname(folder)
  if (parent === folder)
    throw new Error('The package of Sallyport is not whole: no package.json above its code.')
  return findRoot(parent)
}
