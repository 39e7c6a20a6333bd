import { inParallel } from '../src/broker/parallel.ts'
import { type MinistackRole, startMinistack } from '../src/testing/ministack.ts'
import type { Standing } from './aftermath.ts'
import { catchSessions } from './caught-sessions.ts'

/** An AWS that enforces, and every session that it ever gave out, to be tried. */
export type EnforcingAws = {
  /** What a broker needs to use it. */
  endpoint(): string
  roles(): { readonly deniable: string; readonly dated: string }
  environment(): Readonly<Record<string, string>>
  /** Calls S3 with every session of these roles. */
  standing(): Promise<Standing>
  /** Another deniable role: the policy of one has room for some hundred denials, and each stays for a quarter of an hour. */
  changeRole(): Promise<void>
  close(): Promise<void>
}

const bucket = 'bucket-123'
const triesAtOnce = 4

/** Starts one with a bucket and two roles: sessions of one can be denied, those of the other end at their date alone. */
export async function startEnforcingAws(): Promise<EnforcingAws | { readonly skip: string }> {
  const ministack = await startMinistack()
  if (ministack.kind === 'unavailable') return { skip: ministack.reason }
  await ministack.createBucket(bucket, { 'a.txt': 'hello' })
  const catcher = await catchSessions(ministack.endpoint)
  let made = 0
  const newRole = (userActions: readonly string[]) =>
    ministack.createRole({
      name: `agents-${++made}`,
      statements: [{ Effect: 'Allow', Action: 's3:*', Resource: '*' }],
      userActions,
    })
  const denying = ['iam:GetRolePolicy', 'iam:PutRolePolicy']
  let deniable = await newRole(denying)
  const dated = await newRole([])
  const url = `${ministack.endpoint}/${bucket}?list-type=2`
  return {
    endpoint: () => catcher.endpoint,
    roles: () => ({ deniable: deniable.arn, dated: dated.arn }),
    environment: () => ({ ...keysOf('AWS', deniable), ...keysOf('DATED', dated) }),
    async standing() {
      const [works, bounded] = [new Set<string>(), new Set<string>()]
      await inParallel([...catcher.sessions], triesAtOnce, async (session) => {
        const isOver = session.notAfter <= Date.now()
        const { status } = await session.client.fetch(url)
        if (status === 200) {
          works.add(session.leaseId)
          if (session.role === dated.arn && !isOver) bounded.add(session.leaseId)
        } else if (status !== 403) throw new Error(`S3 answered ${status}.`)
        // One that is refused after its date stays dead.
        else if (isOver) catcher.sessions.delete(session)
      })
      return { works, bounded }
    },
    async changeRole() {
      for (const session of catcher.sessions)
        if (session.role === deniable.arn) catcher.sessions.delete(session)
      deniable = await newRole(denying)
    },
    async close() {
      catcher.close()
      await ministack.stop()
    },
  }
}

function keysOf(name: string, { accessKeyId, secretAccessKey }: MinistackRole): Record<string, string> {
  return { [`${name}_ID`]: accessKeyId.reveal(), [`${name}_KEY`]: secretAccessKey.reveal() }
}
