export { openPostgresDatabase } from './database.ts'
