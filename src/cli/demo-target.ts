import type { CredentialRequest, Issued } from '../../client/src/index.ts'
import { startDatabaseTarget } from './demo-database-target.ts'
import { startServiceTarget } from './demo-http-target.ts'
import type { Dev, DevOptions } from './dev.ts'

/** A real system that the demo's credential is for. */
export type DemoTarget = {
  readonly devOptions: Pick<DevOptions, 'postgres'>
  /** Why it is not the database, when it is not. */
  readonly instead?: string
  readonly denied: CredentialRequest
  readonly allowed: CredentialRequest
  /** Called once the broker runs. */
  open(dev: Dev): Promise<void>
  /** Uses the credential inside and outside of its scope; gives a title and words for each. Throws when something is not as promised. */
  use(issued: Issued): Promise<readonly (readonly [string, string])[]>
  /** In words, how the dead credential was refused. */
  refusedAfterRevocation(issued: Issued): Promise<string>
  close(): Promise<void>
}

/** A PostgreSQL from npm, or where that cannot start, or `SALLYPORT_DEMO_TARGET=http` asks for it, an HTTP service that takes the broker's tokens. */
export async function startDemoTarget(environment: NodeJS.ProcessEnv): Promise<DemoTarget> {
  if (environment['SALLYPORT_DEMO_TARGET'] === 'http')
    return startServiceTarget('SALLYPORT_DEMO_TARGET is http')
  const database = await startDatabaseTarget()
  return 'unavailable' in database
    ? startServiceTarget(`No PostgreSQL here (${database.unavailable})`)
    : database
}
