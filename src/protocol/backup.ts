import type { Operation } from './operation.ts'

export const takeBackup: Operation = {
  id: 'backup',
  method: 'POST',
  path: '/v1/backups',
  summary: 'A copy of the store as it is at one moment, without any key; role platform',
  access: 'identified',
  planes: ['human'],
  answers: { 200: { description: 'A SQLite database.', type: 'application/vnd.sqlite3' } },
}
