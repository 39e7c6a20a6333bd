import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import fc from 'fast-check'
import type { GuardRules } from '../guard/index.ts'
import { check, scopeOf } from '../guard/index.ts'
import { type Case, cases, commands, contractsUnderTest } from './guard.fixture.ts'
import { pythonGuard } from './python.ts'
import { shellGuard } from './sh.ts'

const folder = mkdtempSync(join(tmpdir(), 'sallyport-guard-'))
after(() => rmSync(folder, { recursive: true }))

/** Of each contract of the seeds; of the third one fewer, because its patterns cost a shell another process each. */
const runs = { agenticverz: 10_000, ficecal: 10_000, everything: 2_000 }

/** Codes and variables in the order in which they are reported; `nouns` for a finding of no variable. */
type Answers = readonly string[]

type Target = {
  readonly program: string
  readonly seenBy: 'launcher' | 'program'
  readonly answer: (rules: GuardRules, all: readonly Case[], program: string) => Answers
}

const targets: readonly Target[] = [
  { program: 'dash', seenBy: 'launcher', answer: answersOfCheck },
  { program: 'bash', seenBy: 'launcher', answer: answersOfCheck },
  { program: 'python3', seenBy: 'program', answer: answersOfPython },
]

/** What a guard names in a finding of no variable. */
const nouns = new Map([
  ['E101', 'mode'],
  ['E102', 'scope'],
  ['E103', 'contract'],
])

for (const { program, seenBy, answer } of targets) {
  for (const rules of contractsUnderTest())
    test(`the guard of ${rules.name} in ${program} finds what the interpreter finds`, {
      skip: isMissing(program) && `${program} is not there`,
    }, (t) => {
      const all = fc.sample(cases(rules), Object.entries(runs).find(([name]) => name === rules.name)?.[1])
      const wanted = all.map((one) => answerOf(rules, one, seenBy).join(' '))
      const answers = answer(rules, all, program)
      assert.equal(answers.length, all.length)
      for (const [index, one] of all.entries())
        if (answers[index] !== wanted[index]) assert.equal(answers[index], wanted[index], JSON.stringify(one))
      const passed = wanted.filter((words) => words === '').length
      t.diagnostic(`${all.length} environments, of which ${passed} pass`)
    })
}

const launches = 1_000

/** As it stands behind `--` and `--scope` of a launcher. */
type Launch = Case & { readonly command: readonly string[]; readonly wanted: string | undefined }

for (const program of ['dash', 'bash'])
  for (const rules of contractsUnderTest())
    test(`the launcher of ${rules.name} in ${program} has the scope of the command, as the interpreter has`, {
      skip: isMissing(program) && `${program} is not there`,
    }, (t) => {
      const wanted = fc.option(fc.constantFrom(...rules.scopes.map(({ name }) => name), 'nowhere'), {
        nil: undefined,
      })
      const launch = fc
        .tuple(cases(rules), commands(rules), wanted)
        .map(([{ env }, command, wanted]): Launch => {
          const { scope } = scopeOf(rules, command, wanted)
          return { env, command, wanted, scope }
        })
      const all = fc.sample(launch, launches)
      const expected = all.map(({ env, command, wanted, scope }) => {
        const { belongs } = scopeOf(rules, command, wanted)
        return [...(belongs ? ['E102 scope'] : []), ...answerOf(rules, { env, scope }, 'launcher')].join(' ')
      })
      const answers = answersOfShell({ rules, all, program, ask: launched })
      for (const [index, one] of all.entries())
        if (answers[index] !== expected[index])
          assert.equal(answers[index], expected[index], JSON.stringify(one))
      const scopes = Map.groupBy(all, ({ scope }) => scope)
      t.diagnostic(
        `${launches} launches: ${[...scopes].map(([scope, { length }]) => `${scope} ${length}`).join(', ')}`,
      )
    })

function isMissing(program: string): boolean {
  return spawnSync(program, ['-c', ''], { stdio: 'ignore' }).error !== undefined
}

function answerOf(rules: GuardRules, { env, scope }: Case, seenBy: Target['seenBy']): readonly string[] {
  return check(rules, env, { scope, seenBy }).findings.map(
    ({ code, variable }) => `${code} ${variable ?? nouns.get(code)}`,
  )
}

/** None of the commands is there: what passes ends as a command that is not found, with 127. */
function launched({ command, wanted }: Launch): string {
  const named = wanted === undefined ? '' : `--scope ${quoted(wanted)}`
  return `( _sp_main ${named} -- ${command.map(quoted).join(' ')} )`
}

function answersOfCheck(rules: GuardRules, all: readonly Case[], program: string): Answers {
  return answersOfShell({ rules, all, program, ask: ({ scope }) => `sallyport_check ${quoted(scope)}` })
}

type Asked<One extends Case> = {
  readonly rules: GuardRules
  readonly all: readonly One[]
  readonly program: string
  readonly ask: (one: One) => string
}

/** The shipped text but for its last line, which checks at once, sourced once; every environment is set, checked and unset in that one process, which began with none. */
function answersOfShell<One extends Case>({ rules, all, program, ask }: Asked<One>): Answers {
  const guard = join(folder, `${rules.name}.${program}.guard`)
  const script = join(folder, `${rules.name}.${program}.sh`)
  writeFileSync(guard, shellGuard(rules).replace(/\n.*\n$/, '\n'))
  const kept = new Set(['HOSTNAME'])
  const lines = all.map((one) => {
    const entries = Object.entries(one.env).filter(([, text]) => text !== undefined)
    const set = entries.map(([name, text]) => `export ${name}=${quoted(text ?? '')}`)
    const unset = entries.length === 0 ? '' : `unset ${entries.map(([name]) => name).join(' ')}`
    // What a shell keeps for itself is not exported, so that the guard must not see it.
    const before = entries.some(([name]) => kept.has(name)) ? '' : ':'
    return `${[before, ...set].filter(Boolean).join('\n')}\n${ask(one)}\necho "= $?" >&2\n${unset}`
  })
  writeFileSync(script, `set -eu\n. ${quoted(guard)}\nset +e\n${lines.join('\n')}\n`)
  const { stderr, status } = spawnSync(program, [script], {
    env: { PATH: '/usr/bin:/bin' },
    encoding: 'utf8',
    maxBuffer: 2 ** 30,
    timeout: 300_000,
  })
  assert.equal(status, 0, stderr.slice(-2000))
  return stderr
    .split(/^= (?=\d+$)/m)
    .map((text, index, pieces) => ({
      text: text.replace(/^\d+\n/, ''),
      code: Number(pieces[index + 1]?.split('\n', 1)[0]),
    }))
    .slice(0, -1)
    .map(({ text, code }) => {
      const found = [...text.matchAll(/^error\[(E\d+)\] (\S+)/gm)].map((match) => `${match[1]} ${match[2]}`)
      assert.equal(code === 78, found.length > 0, text)
      return found.join(' ')
    })
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`
}

function answersOfPython(rules: GuardRules, all: readonly Case[], program: string): Answers {
  writeFileSync(join(folder, 'guard.py'), pythonGuard(rules))
  const script = `
import json, sys
sys.path.insert(0, ${JSON.stringify(folder)})
import guard
for line in sys.stdin:
    case = json.loads(line)
    mode, found = guard.check(case["env"], case["scope"])
    print(" ".join(one["code"] + " " + (one["variable"] or ${JSON.stringify(Object.fromEntries(nouns))}[one["code"]]) for one in found))
`
  const { stdout, stderr, status } = spawnSync(program, ['-c', script], {
    input: all.map((one) => `${JSON.stringify(one)}\n`).join(''),
    encoding: 'utf8',
    maxBuffer: 2 ** 30,
    timeout: 300_000,
  })
  assert.equal(status, 0, stderr)
  return stdout.split('\n').slice(0, -1)
}
