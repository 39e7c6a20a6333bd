import { z } from 'zod'
import { aboutShape, environmentSections, modeRulesShape, planeShape } from './environment-shape.ts'
import { list, mapping, oneOf } from './shape-parts.ts'
import {
  duration,
  durationOrNone,
  fingerprint,
  issuerUrl,
  keysUrl,
  line,
  name,
  spiffeId,
  text,
  variableName,
  webUrl,
} from './text-shape.ts'

/** The longest ceiling, grant, token age and residual: a day. */
export const contractDurationSecondsMax = 86_400

export const clockSkewSecondsMax = 300
export const claimsMax = 8

/** Asymmetric signatures of RFC 7518 §3.1 and RFC 8037. A key that only checks must not be able to sign. */
export const algorithms = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
] as const

const plane = z.enum(['machine', 'human'])
const longest = duration(contractDurationSecondsMax)
const free = z.record(z.string(), z.unknown())

const mode = z.strictObject({
  class: z
    .enum(['development', 'test', 'staging', 'production'])
    .describe(
      'What the mode is for. Providers for development alone cannot be reached in staging and production.',
    ),
  match: mapping(line(256), variableName)
    .describe('The value of every discriminator; the mode holds exactly when all of them are equal.')
    .meta({ examples: [{ AOS_MODE: 'prod' }] }),
  ceiling: z
    .strictObject({
      duration: longest.describe('No credential lives longer than this in the mode, whatever a grant says.'),
      residual: durationOrNone(contractDurationSecondsMax)
        .optional()
        .describe('By how much a credential may outlive at its provider what was asked; absent is no bound.'),
    })
    .optional()
    .describe('The bounds that no grant can pass; needed where the contract has grants.')
    .meta({ examples: [{ duration: '15m' }] }),
  ...modeRulesShape,
})

const issuer = z.strictObject({
  plane: plane.describe('The one plane on which its tokens are accepted.'),
  issuer: issuerUrl.describe('The `iss` of its tokens, character by character.'),
  audience: line(255)
    .describe('The `aud` that its tokens must carry.')
    .meta({ examples: ['sallyport'] }),
  algorithms: list(z.enum(algorithms))
    .describe('The signature algorithms that are accepted; asymmetric ones alone.')
    .meta({ examples: [['RS256']] }),
  jwks: keysUrl
    .optional()
    .describe('Where its keys are; absent, they are found through its `/.well-known/openid-configuration`.'),
  ca: text({
    must: 'the absolute path of a PEM file',
    next: 'write the path, such as `/etc/ssl/issuer-ca.pem`, not the certificate itself',
    pattern: /^\/[^\u0000-\u001f]{1,4094}$/,
  })
    .optional()
    .describe("The file with the CA of the issuer's own TLS certificate; absent is the system's store."),
  clockSkew: duration(clockSkewSecondsMax, '30s')
    .optional()
    .describe('By how much its clock and this one may differ; absent is 30s.'),
  maxAge: duration(contractDurationSecondsMax, '1h')
    .optional()
    .describe('The oldest `iat` that is accepted; absent is 1h.'),
})

const proof = oneOf({
  spiffe: spiffeId.optional().describe('The SPIFFE URI in the client certificate. Machine plane alone.'),
  certificate: fingerprint('`openssl x509 -in cert.pem -outform der | sha256sum` prints the characters')
    .optional()
    .describe('The SHA-256 of the client certificate (DER), as `sha256:…`. Machine plane alone.'),
  token: z
    .strictObject({
      issuer: name.describe('An issuer of this contract, of the same plane.'),
      claims: mapping(
        text({
          must: 'the exact value of the claim, of 1 to 1024 characters, without `*`: claims are compared for equality',
          next: 'write the whole value; name a further claim to tell identities apart',
          pattern: /^[^*\u0000-\u001f]{1,1024}$/,
        }),
        line(255),
      )
        .refine((claims) => Object.keys(claims).length <= claimsMax && Object.keys(claims).length > 0, {
          error: `a mapping of 1 to ${claimsMax} claims`,
          params: { next: 'name the claims that tell this identity from others, such as `sub`' },
        })
        .describe('Claims that the token must carry, each with exactly this text.')
        .meta({ minProperties: 1, maxProperties: claimsMax, examples: [{ sub: 'user_dana' }] }),
    })
    .optional()
    .describe('A token of an issuer, with claims.'),
  key: fingerprint('write the SHA-256 of the machine key, never the key itself')
    .optional()
    .describe('The SHA-256 of a machine key, as `sha256:…`. Machine plane alone.'),
})

const identity = z.strictObject({
  tenant: name.describe('The tenant it belongs to; nothing in a request can change it.'),
  plane: plane.describe('The one plane on which it may call.'),
  roles: list(z.enum(['operator', 'auditor', 'platform']))
    .optional()
    .describe(
      '`operator` revokes within its tenant, `auditor` reads the log, `platform` does both for every tenant.',
    ),
  proofs: list(proof)
    .describe('What proves it; any one is enough.')
    .meta({ examples: [[{ spiffe: 'spiffe://example.org/ns/acme/sa/agent-7' }]] }),
})

const provider = z.strictObject({
  kind: name.describe('Which adapter mints, such as `jwt`, `postgres` or `aws`.'),
  config: free
    .optional()
    .describe(
      "The adapter's own settings. A secret is never written here but named: `{ env: NAME }` or `{ file: PATH }`.",
    ),
})

const action = z.strictObject({
  title: line(200).optional().describe('One line for people.'),
  resource: line(512)
    .describe(
      'How a resource is written: `{part}` is one segment without a slash, `{part+}` may hold slashes.',
    )
    .meta({ examples: ['{bucket}'] }),
  means: free
    .optional()
    .describe(
      'What the action is at its provider, in its own words. Texts may use each `{part}`, and `{resource}` for the whole.',
    ),
})

const service = z.strictObject({
  provider: name.describe('The provider of this contract that mints for it.'),
  actions: mapping(action).describe('The actions that can be asked for.'),
})

const grant = z.strictObject({
  id: name.describe('Names the grant in decisions and in the log.'),
  tenant: name.describe('The tenant whose agents it is for.'),
  agents: list(z.string()).describe('Agents of the tenant by name, or `"*"` for every one.'),
  service: name.describe('A service of this contract.'),
  actions: list(z.string()).describe('Actions of the service by name; there is no wildcard for actions.'),
  resources: list(z.string())
    .describe('Patterns of resources: `*` within one segment, `**` across segments.')
    .meta({ examples: [['public.orders']] }),
  modes: list(name).describe('The modes in which it holds.'),
  planes: list(plane).optional().describe('The planes on which it holds; absent is the machine plane alone.'),
  maxDuration: longest.describe(
    'The longest life of a credential; at most the ceiling of each of its modes.',
  ),
})

/** The sections of the broker's part: all that are not marked otherwise are needed when one of them is there. */
export const brokerSections = {
  tenants: list(name)
    .optional()
    .describe('The tenants.')
    .meta({ examples: [['acme']] }),
  identities: mapping(identity).optional().describe('Who calls. Tenant and agent come from here alone.'),
  providers: mapping(provider).optional().describe('What mints credentials.'),
  services: mapping(service)
    .optional()
    .describe('The catalogue of actions, and what each means at its provider.'),
  grants: z
    .array(grant)
    .optional()
    .describe(
      'Who may do what, on which resources, in which modes, for how long. What is not granted is denied.',
    )
    .meta({ examples: [[]] }),
  alerts: list(
    oneOf({
      alertmanager: webUrl.optional().describe('The base URL of a Prometheus Alertmanager.'),
      webhook: webUrl.optional().describe('A URL to which alerts are posted as JSON.'),
    }),
  )
    .optional()
    .describe('Where alerts go.'),
  defaults: z
    .strictObject({
      duration: longest
        .optional()
        .describe('The life of a credential when a request names none; absent is 15m.'),
    })
    .optional()
    .describe('What holds when a request does not say.'),
}

/** The whole file, as it is written. References between its parts are checked in `rules`. */
export const contractShape = z.strictObject({
  contract: z.literal('environment/v1').describe('The format of this file.'),
  metadata: z
    .strictObject({
      name: name.describe('The name of the environment contract.'),
      onMismatch: z
        .literal('fail-stop')
        .describe('What happens where no mode matches: nothing starts. No other value exists.'),
      ...aboutShape,
    })
    .describe('What this contract is.')
    .meta({ examples: [{ name: 'orders', onMismatch: 'fail-stop' }] }),
  discriminators: list(variableName)
    .describe('The environment variables that tell modes apart.')
    .meta({ examples: [['AOS_MODE']] }),
  modes: mapping(mode).describe('Closed tuples over the discriminators. There is no default mode.'),
  planes: mapping(planeShape)
    .optional()
    .describe(
      'How callers show who they are; planes never cross. A broker needs `machine` (an API key) and `human` (a bearer token).',
    )
    .meta({ examples: [{ machine: { scheme: { type: 'apiKey', in: 'header', name: 'X-AOS-Key' } } }] }),
  ...environmentSections,
  ...brokerSections,
  issuers: mapping(issuer).optional().describe('Who signs tokens that are accepted.'),
})

export type ContractShape = z.infer<typeof contractShape>
