import { z } from 'zod'
import { list, mapping, oneOf, oneOrMore } from './shape-parts.ts'
import {
  date,
  duration,
  endpoint,
  expression,
  filePath,
  headerName,
  line,
  name,
  portableExpression,
  secretPath,
  variableName,
} from './text-shape.ts'

/** The longest rotation window: ten years. */
export const rotationSecondsMax = 3650 * 86_400

const sentence = line(500)
const sentences = list(sentence)
const permission = z.enum(['forbidden', 'opt-in', 'allowed', 'optional', 'required'])

/** What `metadata` may say beyond the name. */
export const aboutShape = {
  owner: line(100)
    .exactOptional()
    .describe(
      'Who answers for the rules that name no owner; absent, those who answer for the discriminators.',
    ),
  status: line(100).exactOptional().describe('The standing of the contract, such as `ACTIVE`; for people.'),
  effective: date.exactOptional().describe('The day since which it holds.'),
  purpose: sentence.exactOptional().describe('What the contract is for; for people.'),
  appliesTo: list(line(100))
    .exactOptional()
    .describe('Who must follow it.')
    .meta({ examples: [['automation', 'agents', 'engineers']] }),
  tracks: list(line(100)).exactOptional().describe('The tasks that it serves.'),
  current: name
    .exactOptional()
    .describe('The mode in which the code base runs today: a word for people, and never a default.'),
}

/** What a mode may say beyond its tuple. */
export const modeRulesShape = {
  purpose: sentence.exactOptional().describe('What the mode is for, in words.'),
  auth: z
    .union([
      z.strictObject({ inherit: name.describe('The mode whose rules hold here as well.') }),
      mapping(permission),
    ])
    .exactOptional()
    .describe(
      'Per plane, whether its credentials are `forbidden`, `opt-in` (where its variable says so), `allowed`, `optional` or `required`; or `inherit`.',
    )
    .meta({ examples: [{ human: 'required' }] }),
  effects: z
    .strictObject({
      billable: z.boolean().exactOptional().describe('Whether what happens here is charged.'),
      logged: z.boolean().exactOptional().describe('Whether every action is logged.'),
      audited: z.boolean().exactOptional().describe('Whether every action can be audited.'),
    })
    .exactOptional()
    .describe('What an action in this mode leads to.'),
  data: z
    .strictObject({
      class: name.describe('Whose data it holds, such as `disposable`, `test`, `staging` or `production`.'),
      production: z
        .enum(['allowed', 'forbidden'])
        .exactOptional()
        .describe(
          'Whether production data may be here; absent is `allowed` in the class `production` alone.',
        ),
    })
    .exactOptional()
    .describe('The data of the mode.'),
  strict: z.boolean().exactOptional().describe('No bypass, no stub and no fake of any kind.'),
  notes: sentences.exactOptional().describe('What else holds in it, in sentences for people and agents.'),
}

const scheme = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('apiKey').describe('An API key, in the vocabulary of OpenAPI security schemes.'),
    in: z.literal('header').describe('The key travels in a header.'),
    name: headerName.describe('The request header that carries the key.'),
  }),
  z.strictObject({
    type: z.literal('http').describe('HTTP authentication, in the vocabulary of OpenAPI security schemes.'),
    scheme: z.literal('bearer').describe('A token behind `Authorization: Bearer`.'),
    bearerFormat: z.literal('JWT').exactOptional().describe('The token is a JWT.'),
    issuer: name
      .exactOptional()
      .describe('Who signs the token; one of `issuers` where the contract has them.'),
  }),
  z.strictObject({
    type: z.literal('connectionString').describe('A connection string, for a database.'),
    variable: variableName.describe('The variable that holds it.'),
  }),
])

const testMethod = z.strictObject({
  method: line(100).describe('What is tested, such as `API testing`.'),
  environment: line(100).describe('Where, such as `TEST` or `Any`.'),
  how: sentence.describe('How.'),
})

export const planeShape = z
  .strictObject({
    scheme: scheme
      .describe('How a credential is shown, in the vocabulary of OpenAPI security schemes.')
      .meta({ examples: [{ type: 'apiKey', in: 'header', name: 'X-AOS-Key' }] }),
    endpoints: list(endpoint)
      .exactOptional()
      .describe('Paths that belong to it: `*` is one segment, or everything below when it stands last.'),
    tags: list(line(100)).exactOptional().describe('What else belongs to it, such as `console APIs`.'),
    purpose: sentence.exactOptional().describe('What it is for.'),
    rejects: list(name)
      .exactOptional()
      .describe('Planes whose valid credentials are refused on its endpoints, fail-closed.'),
    standsInFor: list(name)
      .exactOptional()
      .describe('Planes on whose endpoints its credentials are taken as well, where the mode permits it.'),
    enabledBy: variableName
      .exactOptional()
      .describe('The variable that must be `true` for the plane to be there at all.'),
    controlledBy: variableName
      .exactOptional()
      .describe('The variable that says which server it is on; it decides nothing.'),
    scopes: list(name).exactOptional().describe('The scopes of a process that it is for.'),
    forbids: list(name)
      .exactOptional()
      .describe('What a process of those scopes never uses, such as `http`.')
      .meta({ examples: [['http']] }),
    clients: mapping(sentences)
      .exactOptional()
      .describe('Who uses it besides, such as an SDK, and the sentences that hold for them.'),
    testing: z
      .strictObject({
        methods: list(testMethod).exactOptional().describe('The right ways.'),
        never: sentences.exactOptional().describe('What is never used.'),
      })
      .exactOptional()
      .describe('How it is tested; for people and agents.'),
  })
  .meta({ examples: [{ scheme: { type: 'apiKey', in: 'header', name: 'X-AOS-Key' } }] })

const when = z.strictObject({
  modes: list(name).exactOptional().describe('In these modes; absent is any.'),
  scopes: list(name).exactOptional().describe('In processes of these scopes; absent is any.'),
})

const variableTypes = [
  'string',
  'boolean',
  'integer',
  'number',
  'port',
  'uri',
  'duration',
  'list',
  'json',
] as const

const variable = z.strictObject({
  type: z
    .enum(variableTypes)
    .exactOptional()
    .describe('What its text must be; absent is `string`. A boolean is exactly `true` or `false`.'),
  owner: line(100).exactOptional().describe('Who answers for it; absent is the owner of the group.'),
  description: sentence.exactOptional().describe('What it is for.'),
  enum: list(line(256)).exactOptional().describe('The values that it may have.'),
  pattern: portableExpression
    .exactOptional()
    .describe('A regular expression that its text must match; `^` and `$` bind it to the whole.'),
  minimum: z.number().exactOptional().describe('The smallest number.'),
  maximum: z.number().exactOptional().describe('The largest number.'),
  schemes: list(line(32).meta({ examples: ['https'] }))
    .exactOptional()
    .describe('The URI schemes that it may have.')
    .meta({ examples: [['https']] }),
  required: z
    .union([z.literal('always'), when, list(when)])
    .exactOptional()
    .describe(
      'When it must be there: `always`, in modes and scopes, or where one item of a list holds; absent is never.',
    )
    .meta({ examples: ['always'] }),
  const: mapping(z.union([line(256), z.boolean()]))
    .exactOptional()
    .describe('The one value that it must have, by mode.')
    .meta({ examples: [{ PROD: 'false' }] }),
  sensitive: z
    .boolean()
    .exactOptional()
    .describe('Whether its value is a secret, of which no output shows a character.'),
  secretRef: oneOrMore(secretPath)
    .exactOptional()
    .describe(
      'Where the secret lives: paths of `secretStores`, of which the first wins; `unspecified` where only the store is known.',
    ),
  internal: z
    .boolean()
    .exactOptional()
    .describe('Seen by the launcher alone, and never passed to the program.'),
  example: line(256)
    .exactOptional()
    .describe('A safe placeholder for example files; never for a discriminator.'),
})

const variables = z.strictObject({
  group: name.describe('The name of the group.'),
  owner: line(100).describe('Who answers for its variables.'),
  vars: mapping(variable, variableName).exactOptional().describe('Variables of which more is known.'),
  names: list(variableName)
    .exactOptional()
    .describe('Variables of which nothing but the name is known: text, and optional.'),
})

const store = z.strictObject({
  kind: name.describe('What it is, such as `vault`.'),
  paths: mapping(
    z.strictObject({
      owner: oneOrMore(line(100)).describe('Who answers for what is there.'),
      keys: list(variableName).describe('The variables whose values are there.'),
    }),
    secretPath,
  ).describe('Where secrets are.'),
})

const role = z.strictObject({
  migrate: z
    .enum(['allow', 'confirm', 'deny'])
    .describe('Whether a database of this role takes migrations: `allow`, `confirm` first, or `deny`.'),
  confirm: mapping(line(256), variableName)
    .refine((value) => Object.keys(value).length === 1, {
      error: 'a mapping with exactly one variable',
      params: { next: 'name the one variable that confirms, such as `{ CONFIRM_PROD_MIGRATIONS: "true" }`' },
    })
    .exactOptional()
    .describe('The variable and the value that confirm.')
    .meta({ minProperties: 1, maxProperties: 1, examples: [{ CONFIRM_PROD_MIGRATIONS: 'true' }] }),
  meaning: sentence.exactOptional().describe('What the role means.'),
})

const migrations = z.strictObject({
  roleVariable: variableName.describe('The variable that decides.').meta({ examples: ['DB_ROLE'] }),
  informational: list(variableName).exactOptional().describe('Variables that inform, and never decide.'),
  roles: mapping(role).describe('The roles that a database can have.'),
  roleByMode: mapping(name).describe('The role of the database of each mode.'),
  bootstrap: z
    .strictObject({
      id: name.describe('Names the rule.'),
      tables: list(name).exactOptional().describe('Tables that no migration creates.'),
      require: sentence.describe('What an empty database needs before its first migration.'),
      see: filePath.exactOptional().describe('Where it is written.'),
    })
    .exactOptional()
    .describe('What an empty database needs first.'),
})

const gate = z.strictObject({
  reason: sentence.describe('Why some modes lack it.'),
  modes: list(name).describe('The modes that have it.'),
  otherwise: z
    .strictObject({
      status: z.number().int().min(400).max(599).describe('The HTTP status.'),
      body: z.record(z.string(), z.unknown()).exactOptional().describe('The JSON of the answer.'),
    })
    .describe('What the other modes answer.')
    .meta({ examples: [{ status: 404 }] }),
  endpoints: mapping(sentence, endpoint)
    .describe('Each path, and what it is for.')
    .meta({ examples: [{ '/debug': 'Shows internals' }] }),
  reference: filePath.exactOptional().describe('Where it is implemented or written down.'),
})

const detector = oneOf({
  truthy: list(variableName)
    .exactOptional()
    .describe('One of these variables is on: set, and neither empty nor `0`, `false`, `no` or `off`.'),
  present: list(variableName).exactOptional().describe('One of these variables is set at all.'),
  source: z
    .strictObject({
      pattern: expression.describe('A regular expression that no line of a source file may match.'),
      files: list(line(256)).exactOptional().describe('Globs of the files; absent is every source file.'),
    })
    .exactOptional()
    .describe('A pattern in source files.'),
  sameValue: z
    .strictObject({
      variable: variableName.describe('The variable.'),
      of: name.describe('The mode that the value belongs to.'),
      in: list(name).describe('The modes in which it must not be seen.'),
    })
    .exactOptional()
    .describe('The value of one mode is seen in another; compared by keyed fingerprints.'),
  probe: z
    .strictObject({
      plane: name.describe('The plane whose endpoints are called.'),
      with: name.describe('The plane whose valid credential is shown.'),
    })
    .exactOptional()
    .describe('A valid credential of one plane is accepted on another.'),
  running: z
    .strictObject({
      scope: name.describe('The scope of the process.'),
      forbids: list(name).describe('What it must not use, such as `http`.'),
    })
    .exactOptional()
    .describe('A process of a scope does what that scope must not.'),
})

const severities = [
  'security-bug',
  'architecture-violation',
  'critical-violation',
  'high',
  'medium',
  'low',
] as const

const prohibition = z.strictObject({
  reason: sentence.describe('Why it is forbidden.'),
  severity: z.enum(severities).describe('How grave it is.'),
  detect: list(detector).exactOptional().describe('How it is detected; each one that matches is a finding.'),
})

const references = z.strictObject({
  field: name
    .describe('The field of a request that carries a reference.')
    .meta({ examples: ['credentialRef'] }),
  pattern: portableExpression.describe('What every reference matches; it is opaque, and never a secret.'),
  requiredModes: list(name).exactOptional().describe('The modes in which a request must carry one.'),
  examples: list(line(256)).exactOptional().describe('References as they may be.'),
  resolves: mapping(
    z.strictObject({
      service: name.describe('A service of this contract.'),
      action: name.describe('An action of it.'),
      resource: line(512).describe('The resource.'),
    }),
    line(256),
  )
    .exactOptional()
    .describe('What each reference stands for.'),
})

const adapter = z.strictObject({
  authModes: list(name).describe('The modes of authentication that it takes; every other one is refused.'),
  defaultAuthMode: name.describe('The one that holds when a request names none.'),
})

const file = z.strictObject({
  role: z
    .enum(['example', 'loader', 'client', 'document'])
    .describe(
      'What it is: an `example` of an environment (names and safe placeholders alone), a `loader`, a `client` or a `document`.',
    ),
  covers: z
    .union([z.literal('all'), list(name)])
    .exactOptional()
    .describe('For an example: the modes whose names it must hold; absent is `all`.')
    .meta({ examples: ['all'] }),
  purpose: sentence.exactOptional().describe('What it is for.'),
})

const rotation = z.strictObject({
  secrets: list(line(256)).describe(
    'Variables, secret paths or credential references that are rotated together.',
  ),
  every: duration(rotationSecondsMax, '90d').describe('How long one of them is used at most.'),
  owner: line(100).describe('Who rotates them.'),
})

const secretRules = z.strictObject({
  inject: list(name).describe('How a real secret reaches a process, such as `runtime-environment`.'),
  neverIn: list(name).describe('Where no secret ever is, such as `git-history` or `logs`.'),
  releaseBlocking: list(name).describe('The severities of a secret scan that block a release.'),
  onLeak: name.describe('What a leak of a secret, or of the context of a reference, leads to.'),
})

const agents = z.strictObject({
  must: sentences.exactOptional().describe('What an agent does.'),
  mustNot: sentences.exactOptional().describe('What an agent never does.'),
  onViolation: sentence.describe('What happens to a task that violates the contract.'),
  remember: sentences.exactOptional().describe('Sentences to memorize.'),
  answers: mapping(sentence, sentence).exactOptional().describe('What is asked often, and its answer.'),
})

/** The sections of the part that needs no broker. */
export const environmentSections = {
  scopes: mapping(
    z.strictObject({
      default: z
        .literal(true)
        .exactOptional()
        .describe('Whether a process is of this scope when nothing says otherwise.'),
      plane: name.exactOptional().describe('The plane that it is bound to.'),
      commands: list(line(256))
        .exactOptional()
        .describe(
          'Commands that belong to it, word by word; `*` is one word, or all that follow when it stands last. The first scope that fits has the command.',
        ),
    }),
  )
    .exactOptional()
    .describe('What a process may be about to do; absent is `runtime` alone.'),
  variables: list(variables)
    .exactOptional()
    .describe('Every variable that a program may read, with its owner.'),
  secretStores: mapping(store).exactOptional().describe('Where secrets live. Never what they are.'),
  secretRules: secretRules.exactOptional().describe('How secrets are treated.'),
  migrations: migrations.exactOptional().describe('Which databases take migrations.'),
  gates: mapping(gate).exactOptional().describe('Features that some modes lack.'),
  prohibitions: mapping(prohibition).exactOptional().describe('What is forbidden everywhere.'),
  references: references.exactOptional().describe('References that stand for a credential in requests.'),
  adapters: mapping(adapter).exactOptional().describe('Adapters whose requests are checked.'),
  files: mapping(file, filePath).exactOptional().describe('Files that the contract speaks of.'),
  rotations: mapping(rotation).exactOptional().describe('How often secrets are rotated, and by whom.'),
  agents: agents.exactOptional().describe('What AI agents and automation do and never do.'),
  validation: list(line(256)).exactOptional().describe('Commands that prove the contract.'),
}
