import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { contract } from './hygiene.fixture.ts'
import { findInSource, sourceCharactersMax } from './index.ts'

/** File, text, and `variable:line` of each guess that is expected. */
const corpus: readonly (readonly [string, string, readonly string[]])[] = [
  // Python
  ['a.py', 'AOS_MODE = os.getenv("AOS_MODE", "preprod")', ['AOS_MODE:1']],
  ['a.py', "x = os.environ.get('AOS_MODE', default='x')", ['AOS_MODE:1']],
  ['a.py', 'x = os.getenv(\n  "AOS_MODE",\n  "preprod",\n)', ['AOS_MODE:2']],
  ['a.py', 'x = os.environ.get("AOS_MODE") or "local"', ['AOS_MODE:1']],
  ['a.py', 'os.environ.setdefault("PORT", "80")', ['PORT:1']],
  ['a.py', 'x = config("PORT", default=80, cast=int)', ['PORT:1']],
  ['a.py', 'x = env.str("AOS_MODE", default=None)', []],
  ['a.py', 'x: str = Field("local", env="AOS_MODE")', ['AOS_MODE:1']],
  ['a.py', 'x: str = Field(..., env="AOS_MODE")', []],
  ['a.py', 'x = os.environ["AOS_MODE"]', []],
  ['a.py', 'x = os.getenv("AOS_MODE")', []],
  ['a.py', 'x = os.getenv("AOS_MODE", None)', []],
  ['a.py', 'x = os.getenv("OTHER_NAME", "x")', []],
  ['a.py', 'x = os.environ.get("AOS_MODE") or sys.exit(1)', []],
  ['a.py', '# os.getenv("AOS_MODE", "preprod")', []],
  ['a.py', 'def f():\n    """os.getenv("AOS_MODE", "preprod")"""\n    return 1', []],
  ['a.py', 'x = "# no comment"; y = os.getenv("AOS_MODE", "preprod")', ['AOS_MODE:1']],
  // JavaScript and TypeScript
  ['a.ts', 'const mode = process.env.AOS_MODE ?? "local"', ['AOS_MODE:1']],
  ['a.ts', "const mode = process.env['AOS_MODE'] || 'local'", ['AOS_MODE:1']],
  ['a.js', 'const port = Number(process.env.PORT) || 3000; process.env.PORT ||= "1"', ['PORT:1']],
  ['a.js', 'const mode = process.env.AOS_MODE ?? defaultMode', ['AOS_MODE:1']],
  [
    'a.mjs',
    "const {\n  AOS_MODE = 'preprod',\n  PORT: port = 3000,\n  HOST,\n} = process.env",
    ['AOS_MODE:2', 'PORT:3'],
  ],
  ['a.tsx', 'const m = import.meta.env.AOS_MODE ?? `x`', ['AOS_MODE:1']],
  ['a.ts', 'const m = Deno.env.get("AOS_MODE") ?? "x"', ['AOS_MODE:1']],
  ['a.ts', 'const m = process.env.AOS_MODE ? process.env.AOS_MODE : "x"', ['AOS_MODE:1']],
  ['a.ts', 'const mode = process.env.AOS_MODE ?? fail("AOS_MODE")', []],
  ['a.ts', 'const mode = process.env.AOS_MODE ?? undefined', []],
  ['a.ts', '// process.env.AOS_MODE ?? "local"\n/* process.env.AOS_MODE ?? "local" */', []],
  ['a.ts', 'const u = "http://x"; const m = process.env.AOS_MODE ?? "x"', ['AOS_MODE:1']],
  // Go, Ruby, Java
  ['a.go', 'mode := getEnv("AOS_MODE", "preprod")', ['AOS_MODE:1']],
  ['a.go', 'mode := cmp.Or(os.Getenv("AOS_MODE"), "x")', ['AOS_MODE:1']],
  ['a.go', 'viper.SetDefault("AOS_MODE", "x")\nm := os.Getenv("AOS_MODE")', ['AOS_MODE:1']],
  [
    'a.rb',
    "m = ENV.fetch('AOS_MODE', 'x')\nn = ENV.fetch('PORT') { 80 }\no = ENV['HOST'] || 'h'",
    ['AOS_MODE:1', 'PORT:2', 'HOST:3'],
  ],
  ['a.rb', "m = ENV.fetch('AOS_MODE')\nn = ENV.fetch('PORT') { raise 'x' }", []],
  ['A.java', 'String m = System.getenv().getOrDefault("AOS_MODE", "x");', ['AOS_MODE:1']],
  ['A.java', `@Value("\${AOS_MODE:local}") String m; @Value("\${PORT}") int p;`, ['AOS_MODE:1']],
  ['A.kt', 'val m = System.getenv("AOS_MODE") ?: "x"', ['AOS_MODE:1']],
  // Shell and make
  [
    'a.sh',
    `mode="\${AOS_MODE:-preprod}"\n: "\${PORT:=80}"\necho \${HOST-x}`,
    ['AOS_MODE:1', 'PORT:2', 'HOST:3'],
  ],
  ['a.sh', `: "\${AOS_MODE:?set it}"; x=\${PORT:+y}; y=\${HOST:-}; z=$AOS_MODE`, []],
  ['a.sh', `echo hi # \${AOS_MODE:-x}`, []],
  ['Makefile', 'AOS_MODE ?= local', ['AOS_MODE:1']],
  // Containers
  ['Dockerfile', 'FROM x\nENV AOS_MODE=preprod PORT=80\nARG HOST=h', ['AOS_MODE:2', 'PORT:2', 'HOST:3']],
  ['api.Dockerfile', 'ENV AOS_MODE preprod', ['AOS_MODE:1']],
  ['Dockerfile', 'ENV A=1 \\\n    AOS_MODE="preprod"', ['AOS_MODE:2']],
  ['Dockerfile', `ARG AOS_MODE\nENV AOS_MODE=$AOS_MODE PORT="\${PORT}"\n# ENV AOS_MODE=x`, []],
  [
    'docker-compose.yml',
    `services:\n  api:\n    environment:\n      AOS_MODE: preprod\n      PORT: \${PORT:-80}\n      HOST: \${HOST:?}`,
    ['AOS_MODE:4', 'PORT:5'],
  ],
  [
    'compose.prod.yaml',
    `services:\n  api:\n    environment:\n      - AOS_MODE=prod\n      - HOST\n      - PORT=\${PORT}`,
    ['AOS_MODE:4'],
  ],
  [
    'k8s/api.yaml',
    'env:\n  - name: AOS_MODE\n    value: preprod\n  - name: PORT\n    valueFrom: {}\n  - {name: HOST, value: "h"}',
    ['AOS_MODE:2', 'HOST:6'],
  ],
  [
    'k8s/api.yaml',
    'env:\n  - value: x\n    name: AOS_MODE\n  - name: PORT\n    value: ""\n  - name: HOST\n    value: $(OTHER)',
    ['AOS_MODE:3'],
  ],
  // A default in a later statement
  ['a.py', 'x = os.getenv("AOS_MODE")\ny = 1\nx = x or "preprod"', ['AOS_MODE:3']],
  ['a.py', "x = os.environ.get('AOS_MODE')\nif not x:\n    x = 'preprod'", ['AOS_MODE:3']],
  ['a.py', 'x: str | None = os.getenv("AOS_MODE")\nif x is None: x = DEFAULT_MODE', ['AOS_MODE:2']],
  ['a.py', 'mode = getenv("AOS_MODE", None)\nstart(mode or "preprod")', ['AOS_MODE:2']],
  ['a.py', 'm = os.getenv("AOS_MODE")\nm = m if m else "preprod"', ['AOS_MODE:2']],
  ['a.py', 'env = dict(os.environ)\nenv.setdefault("AOS_MODE", "preprod")', ['AOS_MODE:2']],
  ['a.py', 'if "AOS_MODE" not in os.environ:\n    os.environ["AOS_MODE"] = "preprod"', ['AOS_MODE:1']],
  ['a.py', 'x = os.getenv("AOS_MODE")\nif not x:\n    raise SystemExit("AOS_MODE")', []],
  ['a.py', 'x = os.getenv("AOS_MODE")\nif not x:\n    x = ask()', []],
  ['a.py', 'x = os.getenv("AOS_MODE")\nif x or y:\n    go(x)', []],
  [
    'a.py',
    'x = os.getenv("AOS_MODE")\nif not x: sys.exit(1)\nx = os.getenv("PORT")\nx = x or "80"',
    ['PORT:4'],
  ],
  ['a.py', 'x = os.environ["AOS_MODE"]\ny = z or "preprod"', []],
  ['a.py', 'if "AOS_MODE" not in os.environ:\n    raise SystemExit(78)', []],
  ['a.py', 'seen = {}\nseen.setdefault("other", "x")', []],
  ['a.ts', "process.env.AOS_MODE ??= 'preprod'", ['AOS_MODE:1']],
  ['a.ts', "process.env['AOS_MODE'] ||= 'preprod'", ['AOS_MODE:1']],
  ['a.ts', "let mode = process.env.AOS_MODE\nmode ??= 'preprod'", ['AOS_MODE:2']],
  ['a.ts', "let mode = process.env['AOS_MODE'];\nif (!mode) {\n  mode = 'preprod'\n}", ['AOS_MODE:3']],
  ['a.ts', 'let mode = process.env.AOS_MODE\nif (mode === undefined) mode = fallback', ['AOS_MODE:2']],
  [
    'a.ts',
    "const { AOS_MODE, PORT: port } = process.env\nlisten(port ?? 3000, AOS_MODE || 'x')",
    ['AOS_MODE:2', 'PORT:2'],
  ],
  ['a.ts', "if (!process.env.AOS_MODE) {\n  process.env.AOS_MODE = 'preprod'\n}", ['AOS_MODE:1']],
  ['a.ts', "import { env } from 'node:process'\nconst mode = env.AOS_MODE ?? 'preprod'", ['AOS_MODE:2']],
  [
    'a.ts',
    "const mode = process.env.AOS_MODE\nif (!mode) throw new Error('AOS_MODE is not set')\nstart(mode)",
    [],
  ],
  ['a.ts', 'const { AOS_MODE } = process.env\nif (AOS_MODE === undefined) process.exit(78)', []],
  ['a.ts', "const mode = process.env.AOS_MODE\nconst color = theme ?? 'red'", []],
  ['a.ts', "const env = enforce()\nconst mode = env.AOS_MODE ?? 'preprod'", []],
  ['a.go', 'mode := os.Getenv("AOS_MODE")\nif mode == "" {\n\tmode = "preprod"\n}', ['AOS_MODE:3']],
  ['a.go', 'if os.Getenv("AOS_MODE") == "" {\n\tos.Setenv("AOS_MODE", "preprod")\n}', ['AOS_MODE:2']],
  ['a.go', 'mode := os.Getenv("AOS_MODE")\nif mode == "" {\n\tlog.Fatal("AOS_MODE is not set")\n}', []],
  ['a.go', 'if os.Getenv("AOS_MODE") == "" {\n\tmode = "preprod"\n}', ['AOS_MODE:1']],
  ['a.rb', "mode = ENV['AOS_MODE']\nmode ||= 'preprod'", ['AOS_MODE:2']],
  ['a.rb', "mode = ENV['AOS_MODE']\nraise 'AOS_MODE' if mode.nil?", []],
  ['A.java', 'String m = System.getenv("AOS_MODE");\nif (m == null || m.isEmpty()) m = "x";', ['AOS_MODE:2']],
  ['A.java', 'String m = System.getenv("AOS_MODE");\nif (m == null) throw new IllegalStateException();', []],
  ['a.sh', `: "\${AOS_MODE:=preprod}"\nexport PORT="\${PORT:-80}"`, ['AOS_MODE:1', 'PORT:2']],
  ['a.sh', `[ -z "$AOS_MODE" ] && AOS_MODE=preprod`, ['AOS_MODE:1']],
  ['a.sh', `if [ -z "\${PORT:-}" ]; then\n  export PORT=80\nfi`, ['PORT:1']],
  ['a.sh', `[ -z "$AOS_MODE" ] && exit 78\n[ -z "$PORT" ] && PORT=$OTHER`, []],
  // Manifests
  ['Dockerfile', `ARG AOS_MODE=preprod\nENV PORT=\${PORT:-80}`, ['AOS_MODE:1', 'PORT:2']],
  ['Dockerfile', `ARG AOS_MODE\nENV PORT=\${PORT:?set it}`, []],
  ['compose.yaml', `services:\n  a:\n    command: run --mode \${AOS_MODE:-preprod}`, ['AOS_MODE:3']],
  ['compose.yaml', `services:\n  a:\n    command: run --mode \${AOS_MODE:?set it}\n    env_file: .env`, []],
  [
    'k8s/config.yaml',
    'kind: Service\n---\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: app\ndata:\n  AOS_MODE: preprod\n  PORT: "80"\n  HOST: ""\n',
    ['AOS_MODE:8', 'PORT:9'],
  ],
  [
    'k8s/secret.yaml',
    'kind: Secret\nstringData:\n  JWT_SECRET: abc\nmetadata: { name: x }',
    ['JWT_SECRET:3'],
  ],
  [
    'k8s/deploy.yaml',
    'kind: Deployment\nspec:\n  containers:\n    - envFrom:\n        - configMapRef: { name: app }\n      env:\n        - name: AOS_MODE\n          valueFrom: { configMapKeyRef: { name: app, key: AOS_MODE } }',
    [],
  ],
  ['k8s/other.yaml', 'kind: Example\ndata:\n  AOS_MODE: preprod', []],
  [
    'kustomization.yaml',
    'configMapGenerator:\n  - name: app\n    literals:\n      - AOS_MODE=preprod\n      - PORT=$(PORT)\n  - name: b\n    envs: [.env]',
    ['AOS_MODE:4'],
  ],
  ['chart/values.yaml', 'env:\n  AOS_MODE: preprod\n  PORT: ""\n  HOST:\nimage: app', ['AOS_MODE:2']],
  ['chart/values-prod.yaml', 'extraEnv:\n  - name: AOS_MODE\n    value: prod', ['AOS_MODE:2']],
  [
    'chart/templates/deploy.yaml',
    'env:\n  - name: AOS_MODE\n    value: {{ .Values.mode | default "preprod" | quote }}\n  - name: PORT\n    value: "{{ .Values.port }}"\n  - name: HOST\n    value: {{ required "host" .Values.host }}',
    ['AOS_MODE:2'],
  ],
  [
    'chart/templates/config.yaml',
    'kind: ConfigMap\ndata:\n  AOS_MODE: {{ default "preprod" .Values.mode }}\n  PORT: {{ required "port" .Values.port | quote }}\n  HOST: "{{ .Values.host }}"',
    ['AOS_MODE:3'],
  ],
  // Libraries that take the default in second place, names of arguments, methods and conditionals between the reading and the default
  ['a.py', 'x = env.str("AOS_MODE", "preprod")', ['AOS_MODE:1']],
  ['a.py', 'x = env("AOS_MODE", "preprod")\ny = env.int("PORT", 80)', ['AOS_MODE:1', 'PORT:2']],
  ['a.py', 'x = env.str("AOS_MODE", DEFAULT_MODE)\ny = config("PORT", 80)', ['AOS_MODE:1', 'PORT:2']],
  ['a.py', 'x = env.bool(\n    "CUSTOMER_SANDBOX_ENABLED",\n    False,\n)', ['CUSTOMER_SANDBOX_ENABLED:2']],
  ['a.py', 'x = env("AOS_MODE", str)\ny = env.str("PORT", None)\nz = env.str("HOST", "")', []],
  ['a.py', 'x = env.str("AOS_MODE", validate=OneOf(["a"]))\ny = config("PORT", cast=int)', []],
  ['a.py', 'x = env.str("AOS_MODE")\ny = env.list("PORT", subcast=int)', []],
  ['a.py', 'x = os.getenv(key="AOS_MODE", default="preprod")', ['AOS_MODE:1']],
  ['a.py', 'x = os.getenv(default="preprod", key="AOS_MODE")', ['AOS_MODE:1']],
  ['a.py', 'x = env.str(name="AOS_MODE", default="preprod")', ['AOS_MODE:1']],
  ['a.py', 'x = os.getenv(key="AOS_MODE")\ny = os.getenv(key="PORT", default=None)', []],
  ['a.py', 'x = os.getenv("AOS_MODE", "").strip().lower() or "preprod"', ['AOS_MODE:1']],
  ['a.py', 'x = (os.getenv("AOS_MODE") or "").lower()', []],
  ['a.py', 'x = os.environ["AOS_MODE"] if "AOS_MODE" in os.environ else "preprod"', ['AOS_MODE:1']],
  ['a.py', 'x = "preprod" if "AOS_MODE" not in os.environ else os.environ["AOS_MODE"]', ['AOS_MODE:1']],
  ['a.py', 'x = os.getenv("AOS_MODE") if ready else None', []],
  ['a.py', 'x = os.environ["AOS_MODE"]\ny = 1 if x else 2', []],
  ['a.js', 'const m = process.env.AOS_MODE === undefined ? "preprod" : process.env.AOS_MODE', ['AOS_MODE:1']],
  ['a.js', "const m = !process.env['AOS_MODE'] ? 'preprod' : process.env['AOS_MODE']", ['AOS_MODE:1']],
  ['a.js', "const m = process.env.AOS_MODE !== undefined ? process.env.AOS_MODE : 'x'", ['AOS_MODE:1']],
  ['a.js', "const m = process.env['AOS_MODE'] ? process.env['AOS_MODE'].trim() : 'x'", ['AOS_MODE:1']],
  [
    'a.js',
    "const m = typeof process.env.AOS_MODE === 'undefined' ? 'x' : process.env.AOS_MODE",
    ['AOS_MODE:1'],
  ],
  ['a.js', "const m = 'AOS_MODE' in process.env ? process.env.AOS_MODE : 'x'", ['AOS_MODE:1']],
  ['a.js', "const m = process.env.AOS_MODE?.trim() || 'x'", ['AOS_MODE:1']],
  ['a.js', "const m = (process.env.AOS_MODE ?? '').trim() || 'x'", ['AOS_MODE:1']],
  ['a.js', "const m = process.env.AOS_MODE === 'prod' ? 'https' : 'http'", []],
  ['a.js', "const m = process.env.AOS_MODE === undefined ? fail('AOS_MODE') : process.env.AOS_MODE", []],
  ['a.js', "const m = process.env.AOS_MODE ? 'set' : 'unset'", []],
  ['a.js', "const m = (process.env.AOS_MODE ?? '').trim()", []],
  ['a.ts', "const m = process.env.AOS_MODE\nconst n = m === undefined ? 'x' : m", ['AOS_MODE:2']],
  ['a.ts', "const m = process.env.AOS_MODE\nconst n = m !== undefined ? m : 'x'", ['AOS_MODE:2']],
  ['a.ts', "const m = process.env.AOS_MODE\nconst n = m === 'prod' ? 'https' : 'http'", []],
  ['a.go', 'm, ok := os.LookupEnv("AOS_MODE")\nif !ok {\n\tm = "preprod"\n}', ['AOS_MODE:3']],
  ['a.go', 'm, ok := os.LookupEnv("AOS_MODE")\nif !ok || m == "" {\n\tm = "preprod"\n}', ['AOS_MODE:3']],
  ['a.go', 'if m, ok = os.LookupEnv("AOS_MODE"); !ok {\n\tm = defaultMode\n}', ['AOS_MODE:2']],
  ['a.go', 'm, ok := os.LookupEnv("AOS_MODE")\nif !ok {\n\tlog.Fatal("AOS_MODE is not set")\n}', []],
  ['a.go', 'm, ok := os.LookupEnv("AOS_MODE")\nif !other {\n\tm = "preprod"\n}', []],
  ['a.rb', "m = ENV['AOS_MODE'].presence || 'x'\nn = ENV['PORT']&.strip || '80'", ['AOS_MODE:1', 'PORT:2']],
  [
    'application.yml',
    `server:\n  mode: \${AOS_MODE:preprod}\n  port: \${PORT:8080}`,
    ['AOS_MODE:2', 'PORT:3'],
  ],
  [
    'config/application-dev.properties',
    `mode=\${AOS_MODE:preprod}\nport=\${PORT:80}`,
    ['AOS_MODE:1', 'PORT:2'],
  ],
  ['filebeat.yml', `hosts: ["\${HOST:localhost}"]`, ['HOST:1']],
  ['application.yml', `a: \${AOS_MODE}\nb: \${PORT:}\nc: \${HOST:\${OTHER}}`, []],
  ['ci.yml', `run: echo \${AOS_MODE:0:4} \${PORT:?set it} \${HOST:+x} \${{ env.AOS_MODE }}`, []],
  ['notes.md', 'os.getenv("AOS_MODE", "preprod")', []],
]

test('the corpus has exactly the guesses that it is known to have', () => {
  for (const [path, text, expected] of corpus) {
    const found = findInSource(contract, { path, text }).filter(({ code }) => code === 'guess')
    const told = found.map(({ variable, line }) => `${variable}:${line}`).sort()
    assert.deepEqual(told, [...expected].sort(), `${path}\n${text}`)
  }
  console.log(`${corpus.length} samples`)
})

test('a default of a discriminator or a secret is worse than one of a setting', () => {
  const severity = (name: string) =>
    findInSource(contract, { path: 'a.py', text: `os.getenv("${name}", "x")` }).map((found) => found.severity)
  assert.deepEqual(severity('AOS_MODE'), ['high'])
  assert.deepEqual(severity('JWT_SECRET'), ['high'])
  assert.deepEqual(severity('CUSTOMER_SANDBOX_ENABLED'), ['medium'])
  assert.deepEqual(severity('PORT'), ['low'])
})

test('the default itself is never told', () => {
  const secret = `s${Math.random().toString(36).slice(2)}`
  for (const text of [`os.getenv("JWT_SECRET", "${secret}")`, `os.environ.get("JWT_SECRET") or "${secret}"`])
    assert.ok(!JSON.stringify(findInSource(contract, { path: 'a.py', text })).includes(secret))
})

test('whatever stands around a guess, it is found at its line, and in a comment it is not', () => {
  const runs = 300
  const around = fc.array(fc.constantFrom('x = 1', '# note', 'y = "a # b"', "z = 'it'", '', 'def f(): pass'))
  fc.assert(
    fc.property(around, around, (before, after) => {
      const guess = 'm = os.getenv("AOS_MODE", "preprod")'
      const found = (line: string) =>
        findInSource(contract, { path: 'a.py', text: [...before, line, ...after].join('\n') })
          .filter(({ code }) => code === 'guess')
          .map(({ line }) => line)
      assert.deepEqual(found(guess), [before.length + 1])
      assert.deepEqual(found(`# ${guess}`), [])
    }),
    { numRuns: runs },
  )
  console.log(`${runs} files`)
})

test('no text makes the search fail or take its time', () => {
  const runs = 300
  const piece = fc.constantFrom(
    'os.getenv(',
    '"AOS_MODE"',
    ',',
    ' ',
    '\n',
    `\${AOS_MODE:-`,
    '}',
    '"""',
    "'",
    '`',
    '/*',
    'ENV ',
    '=',
    '{',
    'process.env',
    'x = ',
    'if not x',
    ':',
    'kind: ConfigMap\n',
    'data:\n',
    'literals:\n',
    '- ',
    '{{ default ',
    '?? ',
  )
  fc.assert(
    fc.property(
      fc.array(piece, { maxLength: 200 }),
      fc.constantFrom('a.py', 'a.ts', 'Dockerfile', 'compose.yml', 'a.go', 'a.rb', 'A.java', 'values.yaml'),
      (pieces, path) => {
        findInSource(contract, { path, text: pieces.join('') })
      },
    ),
    { numRuns: runs },
  )
  for (const path of [
    'a.py',
    'a.ts',
    'Dockerfile',
    'compose.yml',
    'a.java',
    'a.rb',
    'a.go',
    'a.sh',
    'values.yaml',
  ])
    for (const unit of [
      'x = os.getenv("A")\n',
      'x = process.env.A\n',
      'x := os.Getenv("A")\n',
      'data:\n',
      '- a=',
      'if not x ',
      '"',
      "'''",
      '`',
      '{',
      'ENV A=',
      'process.env.A ',
      'getenv("A" ',
      '\\\n',
      ' \n',
      'a_',
    ])
      findInSource(contract, { path, text: unit.repeat(4000) })
  console.log(`${runs} texts`)
})

/** What a pattern would go through once for each of its parts, up to the size of a file that is read. */
const longest: readonly (readonly [string, string, string])[] = [
  ['a.js', '"', '\\"'],
  ['a.js', '', ' /* '],
  ['a.js', '`', '\\`'],
  ['a.js', '', '= /[('],
  ['a.js', 'process.env.AOS_MODE', '\n'],
  ['a.js', 'const m = process.env.AOS_MODE\n', 'm ? "'],
  ['a.js', '', 'import { env env '],
  ['a.py', '', '"""a""" b\n'],
  ['a.py', 'x = os.getenv("AOS_MODE"', '\n'],
  ['a.py', '', `if not x${' '.repeat(1900)}\n`],
  ['a.sh', '', `[ -z $AOS_MODE${' '.repeat(1900)}\n`],
  ['a.go', '', `AOS_MODE ==${' '.repeat(1900)}\n`],
  ['values.yaml', '', Array.from({ length: 1400 }, (_, at) => `${' '.repeat(at)}literals:\n`).join('')],
]

test('a source of the permitted size is gone through once, whatever stands in it', () => {
  for (const [path, start, unit] of longest) {
    const text = (start + unit.repeat(Math.ceil(sourceCharactersMax / unit.length))).slice(
      0,
      sourceCharactersMax,
    )
    assert.deepEqual(
      findInSource(contract, { path, text }).filter(({ code }) => code === 'guess'),
      [],
    )
  }
  console.log(`${longest.length} sources`)
})
