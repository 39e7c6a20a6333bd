import type { MigrationRules } from '../contract/index.ts'

/** What a database says of itself, read in the transaction that claims it. */
export type SeenDatabase = {
  /** The role with which it was first migrated. */
  readonly stamp?: { readonly role: string; readonly stampedAt: string }
  /** Of the tables that a migration builds upon, those that are not there. */
  readonly missingTables: readonly string[]
  /** It takes no writes: a standby, or set to read only. */
  readonly readOnly: boolean
  /** Who migrates it now; of a holder that died, until the lease is over. */
  readonly lease?: { readonly holder: string; readonly secondsLeft: number }
  /** Sessions of an earlier migration that still work in the server, though its lease is over. */
  readonly leftoverSessions: number
}

export type Judgement =
  | { readonly kind: 'free' }
  | { readonly kind: 'refused' | 'busy'; readonly message: string; readonly next: string }

/** Whether this database takes a migration that says it has this role, now. Nothing was written to a database that does not. */
export function judgeDatabase(rules: MigrationRules, role: string, seen: SeenDatabase): Judgement {
  return otherRole(rules, role, seen) ?? unready(rules, seen) ?? taken(seen) ?? { kind: 'free' }
}

function otherRole(
  { roleVariable }: MigrationRules,
  role: string,
  { stamp }: SeenDatabase,
): Judgement | undefined {
  if (!stamp || stamp.role === role) return undefined
  return {
    kind: 'refused',
    message: `This database is ${stamp.role} since ${stamp.stampedAt}, and ${roleVariable} says ${role}.`,
    next: 'is the connection that of the database you mean? Its role never changes by a migration',
  }
}

function unready({ bootstrap }: MigrationRules, seen: SeenDatabase): Judgement | undefined {
  if (seen.readOnly)
    return {
      kind: 'refused',
      message: 'This database takes no writes: it is a standby, or read only.',
      next: 'point the connection to the database that it follows',
    }
  if (!bootstrap || seen.missingTables.length === 0) return undefined
  const empty = seen.missingTables.length === bootstrap.tables.length ? 'is empty' : 'is not whole'
  const see = bootstrap.see === undefined ? '' : `; see ${bootstrap.see}`
  return {
    kind: 'refused',
    message: `The database ${empty}: ${seen.missingTables.join(', ')} must be there before a migration.`,
    next: `${bootstrap.require} (${bootstrap.id}${see})`,
  }
}

function taken({ lease, leftoverSessions }: SeenDatabase): Judgement | undefined {
  if (lease && lease.secondsLeft > 0)
    return {
      kind: 'busy',
      message: `Another migration of this database runs (${lease.holder}).`,
      next: `wait for it; if it died, its lease is over in ${Math.ceil(lease.secondsLeft)} s`,
    }
  if (leftoverSessions === 0) return undefined
  return {
    kind: 'busy',
    message: `A migration died here, and ${leftoverSessions} of its sessions still work in the server.`,
    next: 'wait until its statement ends, or have an administrator end it',
  }
}
