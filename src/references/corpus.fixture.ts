/** What is a secret, and what only looks a little like one. Secrets are made when the tests run, so that none stands in a file. */

/** Draws the same numbers in every run (mulberry32), so that a rate is a fact and not a chance. */
export function createDraw(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below)
  }
}

type Draw = ReturnType<typeof createDraw>

const lower = 'abcdefghijklmnopqrstuvwxyz'
const upper = lower.toUpperCase()
const digits = '0123456789'
const base62 = lower + upper + digits
const marks = Array.from({ length: 94 }, (_, index) => String.fromCharCode(33 + index))
  .filter((character) => !base62.includes(character))
  .join('')

function text(draw: Draw, alphabet: string, length: number): string {
  return Array.from({ length }, () => alphabet[draw(alphabet.length)]).join('')
}

function groups(
  draw: Draw,
  alphabet: string,
  { of, between, count }: { of: number; between: string; count: number },
) {
  return Array.from({ length: count }, () => text(draw, alphabet, of)).join(between)
}

/** An alphabet, the lengths in which keys are made of it, and how many of a hundred are told at the least: at 20 characters some look written. */
const random: readonly (readonly [string, string, Readonly<Record<number, number>>])[] = [
  ['a generated password', base62 + marks, { 20: 95, 24: 98, 32: 99, 64: 100 }],
  ['a password with a few marks', `${base62}!@#$%^&*`, { 20: 97, 24: 99, 32: 99 }],
  ['base62', base62, { 20: 98, 24: 99, 32: 99, 40: 100 }],
  ['base64', `${base62}+/`, { 20: 97, 32: 99, 40: 100 }],
  ['base64url', `${base62}-_`, { 20: 96, 32: 99, 43: 100 }],
  ['letters of both cases', lower + upper, { 20: 97, 32: 99, 40: 100 }],
  ['small letters', lower, { 20: 85, 24: 94, 32: 98, 40: 99 }],
  ['capitals', upper, { 20: 94, 24: 97, 32: 99, 40: 100 }],
  ['small letters and digits', lower + digits, { 20: 98, 25: 99, 32: 99, 40: 100 }],
  ['base32', `${upper}234567`, { 20: 97, 26: 99, 32: 99, 52: 100 }],
  ['hexadecimal', `${digits}abcdef`, { 32: 99, 40: 100, 64: 100 }],
  ['hexadecimal in capitals', `${digits}ABCDEF`, { 32: 99, 40: 100, 64: 100 }],
]

export type SecretKind = {
  readonly name: string
  readonly make: (draw: Draw) => string
  /** Of a hundred. */
  readonly toldMin: number
}

const hex = `${digits}abcdef`
const address = Buffer.from('postgres://u:hunter2@db/app')
const addressBytes = address.toString('hex').match(/../g) ?? []

const shaped: readonly (readonly [string, (draw: Draw) => string])[] = [
  ['five groups of five', (draw) => groups(draw, upper + digits, { of: 5, between: '-', count: 5 })],
  ['four groups with dots', (draw) => groups(draw, base62, { of: 10, between: '.', count: 4 })],
  ['eight groups of hexadecimal', (draw) => groups(draw, hex, { of: 8, between: '-', count: 8 })],
  ['bytes with colons', (draw) => groups(draw, hex, { of: 2, between: ':', count: 32 })],
  ['hexadecimal behind 0x', (draw) => `0x${text(draw, hex, 64)}`],
  ['a key in a path', (draw) => `/v1/exports/${text(draw, base62, 32)}/billing.csv`],
  ['a key behind words', (draw) => `monthly-billing-export-key-${text(draw, base62, 32)}`],
  [
    'a key in a query',
    (draw) => `https://api.example.test/export?from=2026-01-01&k=${text(draw, base62, 32)}`,
  ],
  ['a token in a header', (draw) => `Bearer ${text(draw, `${base62}-_`, 12)}`],
  ['a user and password in a header', () => `Basic ${Buffer.from('ann:hunter2').toString('base64')}`],
  ['a token in an address', (draw) => `https://${text(draw, lower + digits, 20)}@example.test/`],
  ['an address in hexadecimal', () => addressBytes.join('')],
  ['… behind 0x', () => `0x${addressBytes.join('')}`],
  ['… behind a version', () => `v1_${addressBytes.join('')}`],
  ['… behind a letter', () => `a${addressBytes.join('')}`],
  ['… in bytes with colons', () => addressBytes.join(':')],
  ['… in escapes', () => addressBytes.map((byte) => `\\x${byte}`).join('')],
  ['an address in base64', () => address.toString('base64')],
]

const lines = [
  'DB_PASSWORD=hunter2',
  'PGPASSWORD=hunter2',
  'psql --password=hunter2',
  'mysql --password hunter2 -h db',
  '{"db_password":"hunter2"}',
  "{'api_key': 'hunter2'}",
  'user: ann, db_password: hunter2',
  'export GITHUB_TOKEN=hunter2',
  'API_KEY_PROD=hunter2',
  'https://api.example.test/?user=ann&auth_token=hunter2',
  'authorization: Bearer hunter2',
]

export const secretKinds: readonly SecretKind[] = [
  ...random.flatMap(([name, alphabet, lengths]) =>
    Object.entries(lengths).map(([length, toldMin]) => ({
      name: `${name} of ${length}`,
      make: (draw: Draw) => text(draw, alphabet, Number(length)),
      toldMin,
    })),
  ),
  ...shaped.map(([name, make]) => ({ name, make, toldMin: 99 })),
  ...lines.map((line) => ({ name: `the line ${line}`, make: () => line, toldMin: 100 })),
]

/** Names whose value is a secret, whatever it looks like. */
export const secretNames: readonly string[] = [
  ...[
    'password',
    'passwords',
    'password1',
    'password2',
    'passwordOld',
    'dbPassword',
    'PGPASSWORD',
    'user_pass',
    'pwd',
  ],
  ...['apiKey', 'API_KEY', 'apiKeys', 'apiKey2', 'apiKeyV2', 'apiKeyProd', 'x-api-key', 'apikeyprod'],
  ...['clientSecret', 'secrets', 'secret_eu_west_1', 'secretId', 'sharedSecretBase64', 'app.secret.value'],
  ...['token', 'tokens', 'token_prod', 'refreshTokens', 'access-token', 'githubTokenAcme', 'tokenHash'],
  ...[
    'aws_secret_access_key',
    'accessKeyId',
    'privateKeyPem',
    'signingKeyOld',
    'sshKey',
    'masterKey',
    'connectionStrings',
  ],
  ...['Authorization', 'authorizationHeader', 'cookie', 'cookies', 'sessionCookie', 'bearer', 'credentials'],
  ...[
    'ｐａｓｓｗｏｒｄ',
    'pass\u200bword',
    'pässword',
    'p\u0430ssword',
    'api\u039aey',
    't\u043eken',
    '\u13e2assword',
    '\ua4d1assword',
  ],
  ...[
    '\u2ca3assword',
    'p\u0251ssword',
    'ap\u0131key',
    'pa\u00dfword',
    'to\u0138en',
    'pass\u0561ord',
    'to\u1d0bens',
  ],
]

/** Names that say something about a secret, or have its letters within a word. */
export const harmlessNames: readonly string[] = [
  ...[
    'passwordPolicy',
    'passwordMinLength',
    'passwordRequired',
    'passwordExpiryDays',
    'passwordFile',
    'passwordless',
  ],
  ...[
    'secretName',
    'secretArn',
    'secretRef',
    'secretVersion',
    'secretsManagerRegion',
    'secretary',
    'secretStore',
  ],
  ...[
    'tokenCount',
    'tokenType',
    'tokenUrl',
    'tokenEndpoint',
    'token_limit',
    'tokenLifetime',
    'tokenExpiresAt',
    'tokenizer',
    'tokenId',
  ],
  ...[
    'maxTokens',
    'nextPageToken',
    'NextToken',
    'inputTokens',
    'outputTokens',
    'totalTokens',
    'continuation_token',
  ],
  ...[
    'credentialRef',
    'credentialsBackend',
    'credentialType',
    'authorizationUrl',
    'cookieDomain',
    'cookie_consent',
    'apiKeyName',
  ],
  ...[
    'keyword',
    'monkey',
    'author',
    'key',
    'partitionKey',
    'sortKey',
    'publicKey',
    'passenger',
    'compass',
    'bypass',
  ],
  ...[
    'описание',
    'größe',
    'περίοδος',
    'co₂',
    '期間',
    'id期間',
    'AWSアカウント',
    'kısaltma',
    'łączna_kwota',
    'øre',
    'µs',
    '金额USD',
  ],
]

/** Values that are no secret; a few of each sort that requests about bills and infrastructure hold. */
export const harmlessTexts: readonly string[] = [
  ...[
    'EC2 Basic Monitoring',
    'Basic subscription',
    'Basic CloudWatch metrics',
    'basic authentication',
    'Token validation',
  ],
  ...[
    'the bearer authentication of RFC 6750',
    'token ListAccounts failed',
    'Token: expired',
    'Cookies: none',
    'secrets-api:8080',
  ],
  ...[
    'getCostAndUsageWithResources',
    'DescribeReservedInstancesOfferings',
    'AmazonEC2ElasticLoadBalancing',
    'ListAWSServiceAccessForOrganization',
  ],
  ...[
    'BillingReadOnlyAccess2',
    'AWSServiceRoleForECS',
    'AmazonElasticContainerServiceforEC2Role',
    'CostAndUsageReportV2Export',
  ],
  ...[
    'arn:aws:iam::123456789012:role/service-role/BillingReadOnlyAccess2',
    'arn:aws:iam::123456789012:role/billing-export-reader',
  ],
  ...[
    'arn:aws:secretsmanager:eu-central-1:123456789012:secret:prod/billing/db',
    'arn:aws:s3:::company-billing-exports/*',
  ],
  ...[
    '/locales/sk-slovakia-bratislava/index.html',
    '/v1/projects/acme-prod-eu-west-1/locations/global/billingAccounts',
  ],
  ...[
    's3://company-billing-exports/production/2026/01/cost-and-usage-report.csv',
    'abfss://billing-exports@acct.dfs.core.windows.net/2026/01',
  ],
  ...[
    'https://api.example.test/v1/billing/exports?from=2026-01-01',
    'ssh://deployment-user@bastion.example.test',
    'http://cookie-service:8080/',
  ],
  ...[
    'https://console.example.test/cost-management/home?region=us-east-1#/cost-explorer',
    'jdbc:postgresql://db.example.test:5432/billing',
  ],
  ...[
    '123e4567-e89b-12d3-a456-426614174000',
    'export_123e4567-e89b-12d3-a456-426614174000',
    '2001:0db8:85a3:0000:0000:8a2e:0370:7334',
  ],
  ...[
    'i-0abcd1234ef567890',
    'vpc-0a1b2c3d4e5f67890',
    'order 507f1f77bcf86cd799439011',
    'c0ffee1',
    '00:1b:44:11:3a:b7',
    '01AB23-CD45EF-678901',
  ],
  ...[
    `registry.example.test/app@sha256:${'0123456789abcdef'.repeat(4)}`,
    `sha384-${'oqVuAfXRKap7fdgc'.repeat(4)}`,
  ],
  ...[
    'XZ5KPFCTJBQR2XYE',
    'JRTCKXETXF',
    'm5.24xlarge',
    'BoxUsage:c7gn.16xlarge',
    'EUC1-DataTransfer-Regional-Bytes',
    'E2QWRUHAPOMQZL',
  ],
  ...[
    '2026-01-18T10:11:12.000Z',
    'yyyy-MM-ddTHH:mm:ssZ',
    '%Y-%m-%dT%H:%M:%SZ',
    'P1Y2M10DT2H30M',
    '0 */4 * * MON-FRI',
    'Europe/Bratislava',
  ],
  ...['123456789012_CloudTrail_us-east-1_20260101T0000Z.json.gz', 'billing-export-7d9f8b6c5d-x2x9k'],
  ...[
    'aws-cost-and-usage-report-monthly-2026-01',
    'tier-1-provider-ingest-baseline',
    'Product_Family_and_Usage_Type_2026',
    'LINE_ITEM_UNBLENDED_COST',
  ],
  ...[
    'a sentence of several ordinary words about billing',
    'Donaudampfschifffahrtsgesellschaftskapitän',
    'Stromverbrauchsabrechnung',
  ],
  ...[
    'nejneobhospodařovávatelnějšímu',
    'epäjärjestelmällisyydestään',
    'najkrajšie-mesto-na-slovensku',
    'muvaffakiyetsizleştiricileştiriveremeyebileceklerimizdenmişsinizcesine',
  ],
  ...[
    'SELECT account_id, SUM(unblended_cost) FROM cur WHERE month = 1 GROUP BY account_id',
    'sum(cost) by (service)',
    'items[?cost > `10`].name',
  ],
  ...[
    '^cred://[a-z0-9-]+(/[a-z0-9-]+)+$',
    '{"service":"AmazonEC2","region":"eu-central-1"}',
    'service,region,cost\nAmazonS3,eu-west-1,12.50',
  ],
  ...[
    'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0',
    'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
  ],
  ...[
    'Ann.Example+billing@example.test',
    '+421 2 1234 5678',
    '10.0.0.0/16',
    'CN=billing,OU=Finance,O=Example,C=SK',
    '123456789012345678901234567890',
  ],
  ...[
    '----------------------------------------',
    'npm:@aws-sdk/client-cost-explorer@3.1.0',
    'org.apache.logging.log4j:log4j-core',
    'pypi-package-index-mirror',
  ],
]

/** Names as people put them together. */
export function writtenName(draw: Draw): string {
  const words = Array.from({ length: 2 + draw(5) }, () => writtenWords[draw(writtenWords.length)] ?? '')
  const capital = (word: string) => word.slice(0, 1).toUpperCase() + word.slice(1)
  const number = draw(3) === 0 ? String(1 + draw(2027)) : ''
  const joined = [
    words.join('-') + (number && `-${number}`),
    words.join('_').toUpperCase() + (number && `_${number}`),
    words.map(capital).join('') + number,
    (words[0] ?? '') + words.slice(1).map(capital).join('') + number,
    `/${words.join('/')}${number && `/${number}`}.csv`,
    words.join('.') + number,
    words.join('') + number,
  ]
  return joined[draw(joined.length)] ?? ''
}

const writtenWords =
  'account agreement allocation amazon amount api archive audit aws azure balance basic batch billing bucket budget catalog charge cloud cluster commitment compute consumption contract cost credit csv currency customer daily data database day department discount ec2 ecs eks elastic eu export family fargate feature finance forecast gcp global grant group hourly import index ingest instance invoice kubernetes lambda ledger line list load marketplace metric month network object offer order organization owner page partner payer payment plan policy price product project provider purchase quantity query rate rds read region report reserved resource role s3 savings schedule service shard sku snapshot spot stage storage subscription summary support table tag tax team tenant tier transfer unblended unit usage vat vendor volume vpc west workspace xlarge year zone'.split(
    ' ',
  )
