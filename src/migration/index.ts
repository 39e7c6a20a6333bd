export { planeVariables } from './child-variables.ts'
export {
  type Claim,
  type Claimed,
  type DatabaseTarget,
  type MigrationDatabase,
  sessionName,
} from './database.ts'
export { type Decision, decideMigration } from './decide.ts'
export { createHold, type Hold } from './hold.ts'
export { type Judgement, judgeDatabase, type SeenDatabase } from './judge.ts'
export { connectionVariable, requireMigrations } from './rules.ts'
