import { test } from 'node:test'
import { buildLintReports } from './lint-reports.ts'

test('the committed reports are what lint says of the contracts', () => buildLintReports({ check: true }))
