export { backupFailure, openSqliteBackup, type ReadableStore, readSqliteStore } from './backup.ts'
export { openSqliteStore, type SqliteStore, type SqliteStoreOptions } from './store.ts'
export { storeFailure } from './store-failure.ts'
