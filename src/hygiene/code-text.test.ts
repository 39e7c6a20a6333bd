import assert from 'node:assert/strict'
import { test } from 'node:test'
import { syntaxOf, withoutComments } from './code-text.ts'

/** What stands in a file with comments: `STAYS` is code and `GOES` is in a comment. */
const samples: readonly (readonly [string, string])[] = [
  // Expressions in JavaScript that hold a mark of a comment or of a text
  ['a.js', 'x.replace(/\\/*$/, "")\nSTAYS\n/** GOES. */'],
  ['a.js', 'x.split(/[/*]/)\nSTAYS\n/* GOES */'],
  ['a.js', 'x = /^https?:\\/\\//.test(STAYS) // GOES'],
  ['a.js', 'if (x) /\\/*$/.test(x)\nSTAYS\n/* GOES */'],
  ['a.js', 'x = /[`]/g\nSTAYS\ny = `/* STAYS `\n// GOES'],
  ['a.js', 'x = y.split(/"/); z = " // "; STAYS // GOES "'],
  ['a.js', "const rest = () => /'/; z = ' /* '\nSTAYS\n/* GOES */"],
  ['a.js', 'return /\\/*$/\nSTAYS\n/* GOES */'],
  ['a.js', 'x = a / b // GOES\ny = c / d /* GOES */ / STAYS'],
  ['a.js', 'x = a\n  / b // c\nSTAYS // GOES'],
  ['a.js', `x = \`a \${y ? \`/*\` : ""}\`\nSTAYS\n/* GOES */`],
  ['a.js', 'x = "a\\"/*"\nSTAYS\n// GOES'],
  ['a.tsx', '<a>http://a.test {STAYS}</a> // GOES'],
  ['a.tsx', '<a>api/*</a>; STAYS\n/* GOES */'],
  ['a.tsx', "<a>Don't</a>; STAYS // GOES"],
  ['a.tsx', '<a b={c}/>; STAYS // GOES'],
  ['a.vue', 'url(//a.test/b); STAYS'],
  ['a.js', 'f(a,// GOES\n  b) // GOES\n{// GOES\n/* GOES */STAYS;/* GOES */'],
  ['a.js', 'STAYS /* without an end STAYS'],
  // Texts of other languages
  ['a.go', 'x := strings.Split(y, `\\`); z := `/*`\nSTAYS\n/* GOES */'],
  ['a.go', "x := '`'; STAYS // GOES\ny := '`' // GOES"],
  ['A.java', 'x = """\n  /* "a" http://STAYS\n  """; STAYS // GOES'],
  ['a.kt', 'val x = """ /* """\nSTAYS\n/* GOES */'],
  ['a.cs', 'var x = @"C:\\"; var y = " // "; STAYS // GOES'],
  ['a.rs', "fn f<'a>(x: &'a str) { STAYS } // GOES"],
  // Python
  ['a.py', '"""GOES"""\nx = 1\nSTAYS'],
  ['a.py', 'x = (\n  """a""" + STAYS\n)\ndef f():\n  """GOES"""\n  STAYS'],
  ['a.py', 'x = f"""\n{STAYS}\n"""  # GOES'],
  ['a.py', '"""a\\""" GOES"""\nSTAYS'],
  ['a.py', "'''GOES \"\"\" GOES''' # GOES\nSTAYS"],
  ['a.py', 'x = "\\"# STAYS" # GOES'],
  // Hash
  ['a.rb', 'x = <<~X\n  mode: #{STAYS}\nX\n# GOES'],
  ['a.sh', `x=$#; y=\${#x}; STAYS # GOES\n#GOES`],
  ['a.sh', 'echo \\" # GOES\necho "# STAYS"'],
]

test('comments go and code stays, whatever marks of a comment stand in it', () => {
  for (const [path, text] of samples) {
    const code = withoutComments(text, syntaxOf(path) ?? 'plain')
    const expected = text.replaceAll('GOES', '')
    const count = (written: string) => written.split('STAYS').length
    assert.equal(count(code), count(expected), `${path} lost code:\n${text}\n${code}`)
    assert.ok(!code.includes('GOES'), `${path} kept a comment:\n${text}\n${code}`)
    assert.deepEqual(
      code.split('\n').map((line) => line.length),
      text.split('\n').map((line) => line.length),
    )
  }
  console.log(`${samples.length} samples`)
})
