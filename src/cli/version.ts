import manifest from '../../package.json' with { type: 'json' }

/** Of the package, such as `0.1.0`. */
export const version = manifest.version
