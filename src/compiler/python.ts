import {
  confirmationsOf,
  digestVariable,
  type GuardRules,
  migrateScope,
  unknownMode,
  type ValueRule,
  type VariableRule,
} from '../guard/index.ts'
import { pythonExpression } from './portable-expression.ts'

/** A standalone guard in Python (3.8 or newer), of the standard library alone; it finds what the interpreter finds. */
export function pythonGuard(rules: GuardRules): string {
  const {
    name,
    file,
    digest,
    discriminators,
    scopes,
    defaultScope,
    modes,
    variables,
    prohibitions,
    migration,
  } = rules
  return `# Compiled by sallyport from ${file}. Do not edit it: compile the contract again.
"""The guard of the environment contract ${name}.

    from sallyport_guard import enforce
    env = enforce()             # stops the program with exit code 78, or gives the variables in their types

    python3 guard.py [--scope ${scopes.map((scope) => scope.name).join('|')}]
"""
import hashlib
import json
import os
import re
import sys

CONTRACT = {"name": ${text(name)}, "file": ${text(file)}, "digest": ${text(digest)}}
DISCRIMINATORS = ${list(discriminators)}
SCOPES = ${list(scopes.map((scope) => scope.name))}
MODES = [
${modes.map((mode) => `    (${text(mode.name)}, ${dictionary(mode.match)}),`).join('\n')}
]

# name: (owner, secret paths, sensitive, expected, kind, required at, fixed by mode, internal, enum, minimum, maximum, schemes, pattern)
VARIABLES = {
${variables.map((rule) => `    ${text(rule.name)}: ${variableTuple(rule, rules)},`).join('\n')}
}

# (variable, when, message)
PROHIBITIONS = [
${prohibitions
  .map(
    ({ variable, when, id, severity, reason }) =>
      `    (${text(variable)}, ${text(when)}, ${text(`${variable} is forbidden everywhere by ${id} (${severity}): ${reason}.`)}),`,
  )
  .join('\n')}
]

MIGRATION = ${migration ? migrationTuple(migration) : 'None'}


${behaviour(defaultScope)}`
}

/** A literal of JSON is one of Python for text and numbers. */
function text(value: string): string {
  return JSON.stringify(value)
}

function list(values: readonly string[]): string {
  return `[${values.map(text).join(', ')}]`
}

function dictionary(values: Readonly<Record<string, string>>): string {
  return `{${Object.entries(values)
    .map(([key, value]) => `${text(key)}: ${text(value)}`)
    .join(', ')}}`
}

function variableTuple(rule: VariableRule, { discriminators }: GuardRules): string {
  const { name, owner, secretPaths, sensitive, expected, value, requiredAt, constByMode, internal } = rule
  // Of discriminators the mode says everything.
  const asked = !discriminators.includes(name)
  const required = asked && requiredAt.size > 0 ? `{${[...requiredAt].map(text).join(', ')}}` : 'set()'
  const fixed = asked ? dictionary(Object.fromEntries(constByMode)) : '{}'
  return `(${[
    text(owner),
    list(secretPaths),
    boolean(sensitive),
    text(expected),
    text(asked ? value.kind : 'text'),
    required,
    fixed,
    boolean(internal),
    ...constraints(value, asked),
  ].join(', ')})`
}

function boolean(value: boolean): string {
  return value ? 'True' : 'False'
}

function constraints(value: ValueRule, asked: boolean): readonly string[] {
  if (!asked) return ['None', 'None', 'None', 'None', 'None']
  const number = (bound: number | undefined) => (bound === undefined ? 'None' : String(bound))
  return [
    'enum' in value && value.enum ? list(value.enum) : 'None',
    number('minimum' in value ? value.minimum : undefined),
    number('maximum' in value ? value.maximum : undefined),
    'schemes' in value && value.schemes ? list(value.schemes) : 'None',
    'pattern' in value && value.pattern !== undefined ? text(pythonExpression(value.pattern)) : 'None',
  ]
}

function migrationTuple(migration: NonNullable<GuardRules['migration']>): string {
  const { variable, roles, roleByMode } = migration
  const rows = roles.map(({ name, migrate, confirm }) => {
    const confirmed = confirm ? `(${text(confirm.variable)}, ${text(confirm.value)})` : 'None'
    return `${text(name)}: (${text(migrate)}, ${confirmed})`
  })
  const confirmations = confirmationsOf(migration).map(
    (one) => `(${text(one.variable)}, ${text(one.value)}), `,
  )
  return `(${text(variable)}, {${rows.join(', ')}}, ${dictionary(roleByMode)}, (${confirmations.join('')}))`
}

function behaviour(defaultScope: string): string {
  return `def check(env, scope=${text(defaultScope)}, seen_by="program"):
    """Every problem at once, as dictionaries with code, variable, owner, secret_paths, message, expected, seen; and the mode, or None."""
    found = []

    def add(code, variable, message, expected, value=None, sensitive=True):
        owner, paths = VARIABLES[variable][:2] if variable in VARIABLES else (None, [])
        found.append({"code": code, "variable": variable, "owner": owner, "secret_paths": paths, "message": message,
                      "expected": expected, "seen": _seen(value, sensitive)})

    if env.get(${text(digestVariable)}, CONTRACT["digest"]) != CONTRACT["digest"]:
        add("E103", None, "This guard is of another contract.", CONTRACT["digest"])
    if scope not in SCOPES:
        add("E102", None, "There is no such scope.", "one of " + ", ".join(SCOPES), scope, False)
    mode = next((name for name, match in MODES if all(env.get(key) == value for key, value in match.items())), None)
    at = ${text(unknownMode)} if mode is None else mode
    if mode is None:
        seen = " ".join(name + "=" + _seen(env.get(name), False) for name in DISCRIMINATORS)
        tuples = " ".join(name + "(" + ",".join(match[key] for key in DISCRIMINATORS) + ")" for name, match in MODES)
        add("E101", None, "No mode has " + seen + ".", ",".join(DISCRIMINATORS) + " as in " + tuples)
    for name, rule in VARIABLES.items():
        code, expected = _fault(env.get(name), rule, scope, at, seen_by == "program")
        if code is not None:
            add(code, name, name + " " + WORDS[code] + ".", expected, env.get(name), rule[2])
    for variable, when, message in PROHIBITIONS:
        value = env.get(variable)
        if value is not None and (when == "present" or value.lower() not in FALSY):
            add("E401", variable, message, "not set", value, VARIABLES[variable][2] if variable in VARIABLES else True)
    if MIGRATION is not None:
        _migration(env, at, scope == ${text(migrateScope)}, add)
    return mode, found


FALSY = ("", "0", "false", "no", "off")

WORDS = {
    "E201": "is required",
    "E202": "is of another type",
    "E203": "has none of its values",
    "E204": "is fixed",
    "E205": "is out of range",
    "E206": "has the wrong scheme",
    "E207": "does not match its pattern",
    "E208": "is the launcher's alone",
}


def _fault(value, rule, scope, at, program):
    _, _, _, expected, kind, required, fixed, internal, values, minimum, maximum, schemes, pattern = rule
    if not value and scope + " " + at in required:
        return "E201", fixed.get(at, expected)
    if value is None:
        return None, None
    if internal and program:
        return "E208", "not set"
    if at in fixed:
        return (None, None) if value == fixed[at] else ("E204", fixed[at])
    if not KINDS[kind](value):
        return "E202", expected
    if values is not None and value not in values:
        return "E203", expected
    if (minimum is not None and float(value) < minimum) or (maximum is not None and float(value) > maximum):
        return "E205", expected
    if schemes is not None and value.split(":", 1)[0] not in schemes:
        return "E206", expected
    # Patterns are asked of printable ASCII alone, of at most 1024 characters.
    if pattern is not None and not (re.fullmatch(r"[\\x20-\\x7e]{0,1024}", value) and re.search(pattern, value)):
        return "E207", expected
    return None, None


def _migration(env, mode, is_migration, add):
    variable, roles, role_by_mode, confirmations = MIGRATION
    name = env.get(variable)
    if name in roles:
        migrate, confirm = roles[name]
        wanted = role_by_mode.get(mode)
        if is_migration and migrate == "deny":
            add("E301", variable, "A database with the role " + name + " never takes a migration.", "another role", name, False)
        if is_migration and migrate == "confirm" and confirm is not None and env.get(confirm[0]) != confirm[1]:
            add("E302", confirm[0], "A migration of " + name + " has to be confirmed.", confirm[1], env.get(confirm[0]), False)
        if migrate != "deny" and wanted is not None and wanted != name:
            add("E303", variable, "The mode " + mode + " has a database with the role " + wanted + ".", wanted, name, False)
    for variable, value in () if is_migration else confirmations:
        if env.get(variable) == value:
            add("E304", variable, variable + " confirms a migration, and nothing is migrated here.", "not " + value, value, False)


def _seen(value, sensitive):
    """Nothing but its length is said of a sensitive value, and of what looks like a secret in the wrong place."""
    if value is None:
        return "not set"
    if value == "":
        return "set, but empty"
    length = "set, %d characters" % len(value)
    if sensitive or not re.fullmatch(r"[\\x20-\\x7e]*", value) or ("://" in value and re.search("[@?]", value)):
        return length
    if re.search("[A-Za-z0-9+/=_.-]{32}", value):
        return length
    return value if len(value) <= 60 else length


def _is(pattern):
    expression = re.compile(pattern)
    return lambda value: expression.fullmatch(value) is not None


def _is_number(value):
    return re.fullmatch(r"-?[0-9]+(\\.[0-9]+)?", value) is not None and len(re.sub("[-.]", "", value)) <= 15


def _is_json(value):
    if _depth(value) > 64:
        return False
    try:
        # Numbers are not read: those of JSON may be longer than those of Python.
        json.loads(value, parse_int=str, parse_float=str, parse_constant=_refuse)
    except ValueError:
        return False
    return True


def _refuse(_):
    raise ValueError("no constant of JSON")


def _depth(value):
    depth = deepest = 0
    for bracket in re.findall(r"[\\[\\]{}]", re.sub(r'"(?:[^"\\\\]|\\\\.)*"', "", value)):
        depth += 1 if bracket in "[{" else -1
        deepest = max(deepest, depth)
    return deepest


KINDS = {
    "text": lambda value: True,
    "boolean": lambda value: value in ("true", "false"),
    "integer": _is(r"-?[0-9]{1,15}"),
    "number": _is_number,
    "port": lambda value: re.fullmatch("[0-9]{1,5}", value) is not None and int(value) <= 65535,
    "uri": _is(r"[A-Za-z][A-Za-z0-9+.-]*:[\\x21-\\x7e]+"),
    "duration": _is("[0-9]{1,9}(ms|[smhd])?"),
    "list": lambda value: value != "" and all(item != "" for item in value.split(",")),
    "json": _is_json,
}

READERS = {
    "boolean": lambda value: value == "true",
    "integer": int,
    "number": float,
    "port": int,
    "list": lambda value: value.split(","),
    "json": json.loads,
}


def enforce(scope=${text(defaultScope)}, env=None):
    """Stops the program with exit code 78 and every problem on standard error, or gives the declared variables in their types."""
    env = dict(os.environ if env is None else env)
    mode = _checked(env, scope, "program")
    values = {name: READERS.get(rule[4], str)(env[name]) for name, rule in VARIABLES.items() if name in env}
    return dict(values, mode=mode, scope=scope)


def _checked(env, scope, seen_by):
    """The mode; ends the process with exit code 78 when anything is wrong."""
    mode, found = check(env, scope, seen_by)
    if _is_stale():
        found.insert(0, {"code": "E103", "variable": None, "owner": None, "secret_paths": [], "seen": "another digest",
                         "message": "This guard is of another contract than " + CONTRACT["file"] + " says.",
                         "expected": CONTRACT["digest"]})
    if found:
        try:
            sys.stderr.write(report(mode, scope, found))
            sys.stderr.flush()
        finally:
            # Not an exception, which a bare \`except\` could catch; also where nothing can be written.
            os._exit(78)
    return mode


def report(mode, scope, found):
    """The report of a check, for people."""
    lines = []
    for one in found:
        lines.append("error[%s] %s\\n  found     %s\\n  expected  %s\\n" % (one["code"], one["message"], one["seen"], one["expected"]))
        if one["owner"]:
            lines.append("  owner     %s\\n" % one["owner"])
        if one["secret_paths"]:
            lines.append("  secret    %s\\n" % ", else ".join(one["secret_paths"]))
        lines.append("\\n")
    return "%s%d %s · mode %s · scope %s · %s\\nNothing was started, and nothing was guessed.\\n" % (
        "".join(lines), len(found), "problem" if len(found) == 1 else "problems", mode or "(none)", scope, CONTRACT["file"])


def _is_stale():
    beside = os.path.join(os.path.dirname(os.path.abspath(__file__)), CONTRACT["file"])
    try:
        with open(beside, "rb") as file:
            return "sha256:" + hashlib.sha256(file.read()).hexdigest() != CONTRACT["digest"]
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        # One that is there and cannot be read may be another one.
        return True


if __name__ == "__main__":
    words = sys.argv[1:]
    if words and not (len(words) == 2 and words[0] == "--scope"):
        sys.stderr.write("usage: python3 guard.py [--scope SCOPE]\\n")
        sys.exit(64)
    # Whoever starts this file is a launcher; a program calls enforce().
    _checked(dict(os.environ), words[1] if words else ${text(defaultScope)}, "launcher")
`
}
