/** The hostile agent: what somebody with a shell, an own user and an own identity tries. Prints one line of JSON for each attempt. */
import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { readFileSync, watch } from 'node:fs'
import { connect, createServer } from 'node:net'
import { createWire, type Pem, type Shown, sendRaw, type WireRequest } from '../running.ts'
import { debuggerCalls } from './system-calls.ts'
import { jsonTricks, otherSpellings, wideningRequests } from './widening.ts'

/** What it knows: what it could have seen on the machine, and what somebody leaked to it. */
export type Briefing = {
  readonly machineUrl: string
  readonly humanUrl: string
  readonly brokerPid: number
  /** `sallyport run` of a victim, and its child. */
  readonly victimPids: readonly number[]
  readonly brokerFolder: string
  readonly certificate: string
  readonly key: string
  readonly ca: string
  /** Of a victim in another tenant. */
  readonly leaked: { readonly leaseId: string; readonly idempotencyKey: string; readonly token: string }
  readonly since: string
  readonly run: readonly string[]
}

/** `saw`: everything that came back. `trace`: the trace id of a request that reached the broker. */
export type Attempt = {
  readonly category: string
  readonly name: string
  readonly saw: string
  readonly trace?: string
  /** A credential that it got, and for which resource. */
  readonly got?: { readonly resource: unknown; readonly actions: unknown }
  /** Whether an entry has to tell of it by a number alone: what is no HTTP has no trace id. */
  readonly broken?: true
}

const sawMax = 8_000_000

async function attack(briefing: Briefing): Promise<void> {
  for (const [category, name, command] of localAttempts(briefing))
    tell({ category, name, saw: shell(command) })
  tell({ category: 'arguments', name: 'the debugger’s port', saw: await knock(9229) })
  tell({ category: 'own child', name: 'what the child of `sallyport run` is given', saw: ownChild(briefing) })
  await takePorts(briefing)
  const seen = watchFolders(briefing)
  await wireAttempts(briefing)
  tell({ category: 'temporary files', name: 'whatever came and went meanwhile', saw: seen() })
}

type Local = readonly [category: string, name: string, command: string]

function localAttempts({ brokerPid, victimPids, brokerFolder, since }: Briefing): readonly Local[] {
  const proc = (pid: number, whose: string): readonly Local[] => [
    ['/proc', `environment of ${whose}`, `cat /proc/${pid}/environ; cat /proc/${pid}/task/*/environ`],
    [
      '/proc',
      `memory of ${whose}`,
      `head -c 65536 /proc/${pid}/maps && dd if=/proc/${pid}/mem bs=4096 count=16 skip=1`,
    ],
    [
      '/proc',
      `descriptors of ${whose}`,
      `ls -l /proc/${pid}/fd; ls -l /proc/${pid}/map_files; for f in /proc/${pid}/fd/*; do timeout 1 head -c 65536 "$f"; done`,
    ],
    [
      '/proc',
      `folders of ${whose}`,
      `ls -la /proc/${pid}/cwd/ /proc/${pid}/root${brokerFolder}; cat /proc/${pid}/root${brokerFolder}/server.key`,
    ],
    [
      '/proc',
      `kernel’s notes of ${whose}`,
      `cat /proc/${pid}/stack /proc/${pid}/syscall /proc/${pid}/io /proc/${pid}/auxv /proc/${pid}/status /proc/${pid}/limits`,
    ],
    ['arguments', `words of ${whose}`, `cat /proc/${pid}/cmdline /proc/${pid}/comm`],
    [
      'core dumps',
      `a debugger on ${whose}`,
      `timeout 20 gdb -p ${pid} -batch -ex 'generate-core-file /tmp/core.${pid}' </dev/null; timeout 5 strace -p ${pid} -e trace=read </dev/null`,
    ],
    ...Object.entries(debuggerCalls(pid)).map(
      ([name, command]): Local => ['core dumps', `${whose} ${name}`, command],
    ),
    [
      'core dumps',
      `signals to ${whose}`,
      `ulimit -c unlimited; kill -ABRT ${pid}; kill -QUIT ${pid}; kill -SEGV ${pid}; kill -USR1 ${pid}; kill -TERM ${pid}`,
    ],
    [
      'core dumps',
      `limits of ${whose}`,
      `prlimit --pid ${pid} --core=unlimited; cat /proc/${pid}/coredump_filter; echo 0x7f > /proc/${pid}/coredump_filter`,
    ],
  ]
  const files = [
    'data/keys/log.key',
    'data/keys',
    'data/sallyport.db',
    'data/sallyport.db-wal',
    'data/sallyport.db-shm',
    'server.key',
    'sallyport.yaml',
    'admin-secret',
  ]
  return [
    ['environment', 'its own', 'env; cat /proc/self/environ /proc/$PPID/environ'],
    ...files.map(
      (file): Local => [
        'disk',
        `reads ${file}`,
        `cat ${brokerFolder}/${file}; ls -la ${brokerFolder}/${file}; cp -r ${brokerFolder}/${file} /tmp/hostile-copy`,
      ],
    ),
    [
      'disk',
      'lists the broker’s folder',
      `ls -laR ${brokerFolder}; find ${brokerFolder} -readable -type f -exec cat {} +`,
    ],
    [
      'disk',
      'writes where the broker reads',
      `echo x >> ${brokerFolder}/sallyport.yaml; echo x >> ${brokerFolder}/data/sallyport.db; echo x > ${brokerFolder}/data/keys/log.key; mv ${brokerFolder}/data ${brokerFolder}/gone; rm -rf ${brokerFolder}`,
    ],
    [
      'disk',
      'a link into the broker’s folder',
      `ln ${brokerFolder}/data/keys/log.key /tmp/hostile-link; ln -s ${brokerFolder}/data/keys/log.key /tmp/hostile-symlink; cat /tmp/hostile-link /tmp/hostile-symlink; rm -f /tmp/hostile-*`,
    ],
    [
      'temporary files',
      'whatever is new and readable',
      `for d in /tmp /var/tmp /dev/shm /run; do find $d -xdev -newer ${since} -type f -readable -size -256k 2>/dev/null; done | head -400 | xargs -r -d '\\n' cat 2>/dev/null`,
    ],
    [
      'temporary files',
      'sockets and pipes',
      'find /tmp /run /dev/shm -xdev \\( -type s -o -type p \\) 2>/dev/null | head -50; ss -xlp; ss -tlnp',
    ],
    [
      'core dumps',
      'where the kernel puts them',
      `cat /proc/sys/kernel/core_pattern; echo '|/bin/cp %s /tmp/hostile-core' > /proc/sys/kernel/core_pattern && echo GOT pattern; echo 2 > /proc/sys/fs/suid_dumpable && echo GOT dumpable; find / -xdev -name 'core*' -newer ${since} -type f -readable -size +100k -exec cat {} + 2>/dev/null | head -c 4000000`,
    ],
    [
      'core dumps',
      'memory that left the process',
      'cat /proc/swaps; for f in $(tail -n +2 /proc/swaps | cut -d" " -f1) /dev/mem /dev/kmem /proc/kcore; do head -c 65536 $f; done; dmesg | tail -50; cat /proc/keys; ipcs; ls -la /dev/shm',
    ],
    [
      'inherited descriptors',
      'beyond the three',
      'ls -l /proc/self/fd; for n in 3 4 5 6 7 8 9; do timeout 1 head -c 4096 /proc/self/fd/$n; done',
    ],
    ['arguments', 'of every process', 'ps axwwe 2>/dev/null || cat /proc/[0-9]*/cmdline'],
    [
      'environment',
      'another user’s rights',
      'id; sudo -n id; su -c id </dev/null; setpriv --reuid 0 id; unshare -Ur id',
    ],
    ...proc(brokerPid, 'the broker'),
    ...victimPids.flatMap((pid, at) => proc(pid, at === 0 ? 'the victim’s run' : 'the victim’s child')),
  ]
}

function shell(command: string): string {
  const { stdout, stderr } = spawnSync('sh', ['-c', command], {
    encoding: 'latin1',
    timeout: 60_000,
    maxBuffer: sawMax,
  })
  return `${stdout ?? ''}${stderr ?? ''}`
}

/** Its own credential is all that its own child may hold. */
function ownChild({ run }: Briefing): string {
  const [program = '', ...words] = run
  const { stdout, stderr } = spawnSync(program, [...words, '--', 'sh', '-c', 'env; ls -l /proc/self/fd'], {
    encoding: 'latin1',
    timeout: 60_000,
    env: {
      ...process.env,
      AMBIENT_SECRET: 'ambient',
      AWS_SECRET_ACCESS_KEY: 'ambient',
      PGPASSWORD: 'ambient',
    },
  })
  return `${stdout}${stderr}`
}

function knock(port: number): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port })
    socket.once('connect', () => resolve('open'))
    socket.once('error', (error) => resolve(String(error)))
    socket.once('close', () => socket.destroy())
  })
}

/** The broker's port, and whatever is near to it: who can listen there is asked for what the broker is asked for. */
async function takePorts({ machineUrl, humanUrl }: Briefing): Promise<void> {
  for (const url of [machineUrl, humanUrl])
    for (const host of ['127.0.0.1', '0.0.0.0', '::', '::ffff:127.0.0.1'])
      for (const reusePort of [true, false]) {
        const saw = await listenAt({ host, port: Number(new URL(url).port), reusePort })
        tell({ category: 'ports', name: `${host}${reusePort ? ', shared' : ''}`, saw })
      }
}

function listenAt(where: { host: string; port: number; reusePort: boolean }): Promise<string> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', (error) => resolve(String(error)))
    server.listen(where, () => {
      server.close()
      resolve('GOT the port')
    })
  })
}

/** Is told of everything that appears where the broker could put something, and reads it at once. */
function watchFolders({ brokerFolder }: Briefing): () => string {
  const seen: string[] = []
  const read = (path: string) => {
    try {
      seen.push(readFileSync(path, 'latin1').slice(0, 65_536))
    } catch (error) {
      seen.push(String(error))
    }
  }
  const watchers = ['/tmp', '/var/tmp', '/dev/shm', brokerFolder, `${brokerFolder}/data`].flatMap(
    (folder) => {
      try {
        return watch(folder, (_event, name) => read(`${folder}/${name}`))
      } catch (error) {
        seen.push(`${folder}: ${error}`)
        return []
      }
    },
  )
  return () => {
    for (const watcher of watchers) watcher.close()
    return seen.join('\n').slice(0, sawMax)
  }
}

async function wireAttempts(briefing: Briefing): Promise<void> {
  const { machineUrl, humanUrl, leaked, ca } = briefing
  const certificate: Pem = {
    certPem: readFileSync(briefing.certificate, 'utf8'),
    keyPem: readFileSync(briefing.key, 'utf8'),
  }
  const own: Shown = { certificate }
  const wire = createWire(ca)
  const attempt = async (category: string, name: string, request: WireRequest, url = machineUrl) => {
    const trace = randomBytes(16).toString('hex')
    const headers = { ...request.headers, traceparent: `00-${trace}-${'1'.repeat(16)}-01` }
    const { status, text, json } = await wire.ask(url, { ...request, headers })
    const { actions, resources } = Object(json['effective'])
    const got = 'credential' in json ? { got: { resource: resources, actions } } : {}
    tell({ category, name, saw: `${status} ${text}`, trace, ...got })
    return json
  }
  const post = (path: string, body: unknown, as: Shown = own): WireRequest => ({
    method: 'POST',
    path,
    body,
    as,
    headers: { 'content-type': 'application/json' },
  })
  const form = (path: string, fields: Record<string, string>, as: Shown = own): WireRequest => ({
    method: 'POST',
    path,
    body: new URLSearchParams(fields).toString(),
    as,
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
  })
  const wanted = { service: 'vault', action: 'read', resource: 'globex/x' }

  for (const [n, body] of wideningRequests.entries())
    await attempt('widened scopes', `request ${n}`, post('/v1/credentials', body))
  for (const [n, text] of jsonTricks.entries())
    await attempt('JSON', `trick ${n}`, post('/v1/credentials', text))

  for (const [name, as] of Object.entries({
    'a leaked token as its identity': { bearer: leaked.token },
    'its certificate beside a leaked token': { ...own, bearer: leaked.token },
    'a token without signature': {
      bearer: `${Buffer.from('{"alg":"none"}').toString('base64url')}.${leaked.token.split('.')[1]}.`,
    },
    'a token with another signature': { bearer: `${leaked.token.slice(0, -20)}${'A'.repeat(20)}` },
    'a guessed key': { machineKey: 'sp_000000000000000000000000000000000000' },
    'no identity': {},
  }))
    for (const url of [machineUrl, humanUrl])
      await attempt('replayed and swapped tokens', name, post('/v1/credentials', wanted, as), url)
  await attempt(
    'replayed and swapped tokens',
    'a leaked token introspected',
    form('/oauth2/introspect', { token: leaked.token }),
  )
  await attempt(
    'replayed and swapped tokens',
    'a leaked token revoked',
    form('/oauth2/revoke', { token: leaked.token }),
  )
  await attempt(
    'replayed and swapped tokens',
    'its certificate on the human plane',
    post('/v1/credentials', wanted),
    humanUrl,
  )

  for (const method of ['GET', 'DELETE'])
    await attempt('another tenant', `${method} a leaked lease`, {
      method,
      path: `/v1/leases/${leaked.leaseId}`,
      as: own,
    })
  for (const body of [
    { tenant: 'acme' },
    { agent: 'agent-7' },
    { tenant: 'acme', agent: 'agent-7' },
    ...otherSpellings('acme').map((tenant) => ({ tenant })),
    ...otherSpellings('agent-7').map((agent) => ({ agent })),
  ])
    await attempt('another tenant', `revokes ${JSON.stringify(body)}`, post('/v1/revocations', body))
  for (const path of [
    '/v1/log/entries',
    '/v1/log/export',
    '/log/tile/entries/000',
    '/v1/rotations',
    '/v1/backups',
    ...['tenant=acme', 'agent=agent-7', 'tenant=acme&agent=agent-7', 'tenant=Acme'].map(
      (query) => `/v1/leases?${query}`,
    ),
  ])
    await attempt('another tenant', `looks at ${path}`, { path, as: own })
  for (const resource of ['acme/secret', ...otherSpellings('acme').map((tenant) => `${tenant}/secret`)])
    await attempt('another tenant', 'uses a leaked Idempotency-Key', {
      ...post('/v1/credentials', { service: 'vault', action: 'read', resource }),
      headers: { 'content-type': 'application/json', 'idempotency-key': leaked.idempotencyKey },
    })
  for (const [name, value] of [
    ['x-forwarded-for', '10.0.0.1'],
    ['x-forwarded-client-cert', 'URI=spiffe://test.example/agent/agent-7'],
    ['x-tenant', 'acme'],
    ['x-vault-namespace', 'acme'],
    ['x-http-method-override', 'DELETE'],
    ['x-original-url', '/v1/rotations'],
    ['forwarded', 'for=10.0.0.1;host=broker'],
    ['x-tls-client-cert', certificate.certPem.replaceAll('\n', ' ')],
    ['x-spiffe-id', 'spiffe://test.example/agent/agent-7'],
    ['x-agent-id', 'agent-7'],
    ['cookie', 'tenant=acme; agent=agent-7'],
    ['te', 'trailers'],
  ] as const) {
    const request = post('/v1/credentials', { service: 'vault', action: 'read', resource: 'acme/secret' })
    await attempt('headers', name, { ...request, headers: { ...request.headers, [name]: value } })
  }

  const head = 'POST /v1/credentials HTTP/1.1\r\nHost: b\r\nContent-Type: application/json\r\n'
  const hidden = `POST /v1/credentials HTTP/1.1\r\nHost: b\r\nContent-Length: 2\r\n\r\n{}`
  for (const text of [
    `${head}Content-Length: 2\r\nContent-Length: 0\r\n\r\n{}${hidden}`,
    `${head}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${hidden}`,
    `${head}Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n${hidden}`,
    `${head}Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n${hidden}`,
    `${head}Transfer-Encoding:\r\n chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n${hidden}`,
    `${head}X: a\u0000b\r\n\r\n`,
    `${head}Content-Length: 99999999999999999999\r\n\r\n`,
    'GET / HTTP/9.9\r\n\r\n',
    `${head}Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}${hidden}`,
    `${head}Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n${hidden}`,
    `${head}Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n${hidden}`,
    `${head}Transfer-Encoding: xchunked\r\n\r\n${hidden}`,
    `${head}X: a\rContent-Length: 0\r\n\r\n${hidden}`,
    `${head.replaceAll('\r\n', '\n')}Content-Length: 0\n\n${hidden}`,
    `${head}${'N'.repeat(33_000)}: x\r\n\r\n${hidden}`,
    `CONNECT 127.0.0.1:5432 HTTP/1.1\r\nHost: b\r\n\r\n${hidden}`,
    'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
  ])
    tell({
      category: 'smuggling',
      name: JSON.stringify(text.slice(90, 150)),
      saw: await sendRaw({ url: machineUrl, ca, certificate }, text),
      broken: true,
    })

  for (let round = 0; round < 40; round += 1) {
    const [issued] = await Promise.all([
      attempt(
        'revoke against mint',
        'asks',
        post('/v1/credentials', { ...wanted, resource: `globex/${round}` }),
      ),
      attempt('revoke against mint', 'revokes', post('/v1/revocations', { service: 'vault' })),
    ])
    await attempt('revoke against mint', 'revokes again', post('/v1/revocations', { service: 'vault' }))
    const token = Object(issued['credential']).access_token
    const seen =
      token === undefined
        ? { active: false }
        : await wire.ask(machineUrl, form('/oauth2/introspect', { token }))
    const alive = 'json' in seen && seen.json['active'] === true
    tell({ category: 'revoke against mint', name: alive ? 'ALIVE' : 'dead', saw: '' })
  }
  wire.close()
}

function tell(attempt: Attempt): void {
  process.stdout.write(`${JSON.stringify(attempt)}\n`)
}

const [briefingFile] = process.argv.slice(2)
if (briefingFile !== undefined) await attack(JSON.parse(readFileSync(briefingFile, 'utf8')))
