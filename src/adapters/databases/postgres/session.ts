import { Client, DatabaseError } from 'pg'
import { Failure } from '../../../primitives/index.ts'
import { refused } from './target.ts'

const connectMilliseconds = 10_000
const statementMilliseconds = 10_000

/**
 * One transaction in a session of its own: nothing is kept between two, so that a pooler may change servers as it likes. Throws
 * `database_unreachable`, `database_refused` and `migration_refused`; none says what stands in the connection string.
 */
export async function inTransaction<Result>(
  url: string,
  signal: AbortSignal,
  work: (client: Client) => Promise<{ readonly result: Result; readonly keep: boolean }>,
): Promise<Result> {
  let client: Client | undefined
  const abandon = () => client?.connection.stream.destroy()
  try {
    client = open(url)
    signal.throwIfAborted()
    signal.addEventListener('abort', abandon, { once: true })
    await client.connect()
    await client.query('begin')
    // Whoever may create functions in another schema would have them called by the user who migrates.
    await client.query(
      `set local statement_timeout = ${statementMilliseconds}; set local search_path = pg_catalog, pg_temp`,
    )
    const { result, keep } = await work(client)
    await client.query(keep ? 'commit' : 'rollback')
    return result
  } catch (thrown) {
    throw toDatabaseFailure(thrown)
  } finally {
    signal.removeEventListener('abort', abandon)
    await client?.end().catch(() => undefined)
  }
}

function open(url: string): Client {
  const client = createClient(url)
  // A connection that dies between two statements is told by the next one.
  client.on('error', () => undefined)
  return client
}

/** Throws `migration_refused` for what the driver cannot read, such as the file of a certificate. */
function createClient(url: string): Client {
  try {
    return new Client({
      connectionString: url,
      connectionTimeoutMillis: connectMilliseconds,
      query_timeout: statementMilliseconds + 1000,
    })
  } catch (thrown) {
    const code = errorCode(thrown)
    if (code?.startsWith('E'))
      throw refused(
        `names a file that cannot be read (${code})`,
        'see to the file of sslrootcert, sslcert or sslkey',
      )
    throw refused('is no URL of PostgreSQL')
  }
}

/** Classes 28 (login), 3D (no such database), 42 (no permission) and 0A of SQLSTATE are a no; whatever else is out of reach. */
function toDatabaseFailure(thrown: unknown): Failure {
  if (thrown instanceof Failure) return thrown
  const code = errorCode(thrown)
  const internal = code ?? (thrown instanceof Error ? thrown.name : 'no error was thrown')
  const insecure = tlsFailure(thrown, code)
  if (insecure) return insecure
  if (!(thrown instanceof DatabaseError) || !code || !/^(28|3D|42|0A|08P01)/.test(code))
    return new Failure('database_unreachable', 'The database did not answer as it should.', {
      internal,
      next: 'does it run where the connection string says?',
    })
  const permission = code === '42501'
  const what = permission ? 'does not let this user keep the schema sallyport' : 'did not accept the login'
  return new Failure('database_refused', `The database ${what} (SQLSTATE ${code}).`, {
    internal,
    next: permission
      ? 'GRANT CREATE ON DATABASE to the user who migrates, or let an administrator migrate first'
      : 'check user, password and database of the connection string',
  })
}

/** The driver has no code for a server without TLS; those of OpenSSL and of Node name what is wrong with a certificate. */
function tlsFailure(thrown: unknown, code: string | undefined): Failure | undefined {
  if (thrown instanceof Error && /does not support SSL/.test(thrown.message))
    return new Failure('database_refused', 'The connection string asks for TLS, and the server has none.', {
      next: 'sslmode=disable, where the way to it is safe without',
    })
  if (code === undefined || !/CERT|SIGNATURE|ISSUER|^ERR_(TLS|SSL)|^EPROTO$/.test(code)) return undefined
  return new Failure('database_refused', `The certificate of the database does not hold (${code}).`, {
    internal: code,
    next: 'name the server as its certificate does, and a private CA with sslrootcert=FILE',
  })
}

/** The SQLSTATE, or the code of the operating system. */
export function errorCode(thrown: unknown): string | undefined {
  return thrown instanceof Error && 'code' in thrown && typeof thrown.code === 'string'
    ? thrown.code
    : undefined
}
