import type { Credential } from '../../client/src/index.ts'
import { Failure } from '../primitives/index.ts'

/** What a child may keep of its parent's environment: nothing here is a credential. Everything else is left behind. */
export const harmless =
  /^(PATH|HOME|USER|LOGNAME|SHELL|PWD|TMPDIR|TERM|COLORTERM|TZ|LANG|LC_[A-Z]+|NO_COLOR|FORCE_COLOR|CI)$/

/**
 * Files where tools look for ambient credentials; the child is told of others, which hold nothing. A path below `/dev/null` is
 * never there, where an empty file would be an error. What is not in this list a child of the same user can still read.
 */
export const noAmbientFiles = {
  AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
  AWS_CONFIG_FILE: '/dev/null',
  AWS_EC2_METADATA_DISABLED: 'true',
  PGPASSFILE: '/dev/null',
  PGSERVICEFILE: '/dev/null',
  PGSSLCERT: '/dev/null/none',
  PGSSLKEY: '/dev/null/none',
  KUBECONFIG: '/dev/null',
  NPM_CONFIG_USERCONFIG: '/dev/null',
}

/** The environment of a child that gets this credential and no ambient one (seed 004 §4). `keep` names further variables to pass on. */
export function childEnvironment(
  parent: Readonly<Record<string, string | undefined>>,
  credential: Credential,
  keep: readonly string[],
): Record<string, string> {
  const kept = Object.entries(parent).flatMap(([name, value]) =>
    value !== undefined && (harmless.test(name) || keep.includes(name)) ? [[name, value] as const] : [],
  )
  return { ...noAmbientFiles, ...Object.fromEntries(kept), ...variablesOf(credential) }
}

/** The names by which unmodified tools know each type of credential. */
function variablesOf(credential: Credential): Record<string, string> {
  const field = (name: string): string => {
    const value = credential[name]
    if (value === undefined)
      throw new Failure('internal', 'The credential lacks a field.', { internal: name })
    return String(value)
  }
  switch (credential.type) {
    case 'aws':
      return {
        AWS_ACCESS_KEY_ID: field('access_key_id'),
        AWS_SECRET_ACCESS_KEY: field('secret_access_key'),
        AWS_SESSION_TOKEN: field('session_token'),
        AWS_REGION: field('region'),
        AWS_DEFAULT_REGION: field('region'),
      }
    case 'postgres':
      return {
        PGHOST: field('host'),
        PGPORT: field('port'),
        PGDATABASE: field('database'),
        PGUSER: field('user'),
        PGPASSWORD: field('password'),
        PGSSLMODE: field('sslmode'),
        DATABASE_URL: field('url'),
      }
    case 'jwt':
      return { SALLYPORT_ACCESS_TOKEN: field('access_token') }
    case 'env':
      return { [field('name')]: field('value') }
    default:
      return { SALLYPORT_CREDENTIAL: JSON.stringify(credential) }
  }
}
