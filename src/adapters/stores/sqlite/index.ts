export { openSqliteBackup, type SqliteBackup } from './backup.ts'
export { openSqliteStore, type SqliteStore, type SqliteStoreOptions } from './store.ts'
